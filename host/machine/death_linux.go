package machine

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent has the kernel kill cmd when the thread that starts it ends,
// and keeps the terminal's ^C from it: the host command decides what that means.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
}

// lockThread keeps the calling goroutine's thread alive until the returned
// function is called.
func lockThread() func() {
	runtime.LockOSThread()
	return runtime.UnlockOSThread
}
