//go:build unix

package machine

import (
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// socketPair returns two connected stream sockets: one for this process, one
// to be inherited.
func socketPair() (net.Conn, *os.File, error) {
	syscall.ForkLock.RLock()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM, 0)
	if err == nil {
		unix.CloseOnExec(fds[0])
		unix.CloseOnExec(fds[1])
	}
	syscall.ForkLock.RUnlock()
	if err != nil {
		return nil, nil, os.NewSyscallError("socketpair", err)
	}
	ours := os.NewFile(uintptr(fds[0]), "serial")
	defer ours.Close()
	theirs := os.NewFile(uintptr(fds[1]), "serial")
	conn, err := net.FileConn(ours)
	if err != nil {
		theirs.Close()
		return nil, nil, err
	}
	return conn, theirs, nil
}
