// The functions of the Go runtime that pin_linux_amd64.go names have no body there:
// the compiler allows that where there is an assembly file.
