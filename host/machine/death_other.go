//go:build unix && !linux

package machine

import (
	"os/exec"
	"syscall"
)

// dieWithParent keeps the terminal's ^C from cmd. Only Linux can tie a
// process's life to another's.
func dieWithParent(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }

func lockThread() func() { return func() {} }
