// Init is the first process of the Linux that Skerry is compared with. It runs
// the programs of a manifest one after the other and speaks package link with
// the host over the second serial port, as Skerry's monitor does.
//
// Only package baseline uses it, inside a virtual machine. It must never run
// as an ordinary process: it powers the machine off.
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"sync"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"

	"skerry/abi"
	"skerry/lib/link"
	"skerry/lib/manifest"
)

func main() {
	if os.Getpid() != 1 {
		fmt.Fprintln(os.Stderr, "init: this is no process for a running system")
		os.Exit(1)
	}
	if err := run(); err != nil {
		fmt.Println("init:", err)
	}
	fmt.Println("init: powering off:", syscall.Reboot(syscall.LINUX_REBOOT_CMD_POWER_OFF))
}

// mounts are what ordinary programs expect to find.
var mounts = []struct{ kind, at string }{
	{"proc", "/proc"},
	{"sysfs", "/sys"},
	{"devtmpfs", "/dev"},
	{"tmpfs", "/tmp"},
}

func run() error {
	for _, m := range mounts {
		if err := os.MkdirAll(m.at, 0o755); err != nil {
			return err
		}
		if err := syscall.Mount(m.kind, m.at, m.kind, 0, ""); err != nil {
			return fmt.Errorf("mount %s: %w", m.at, err)
		}
	}
	port, err := openRaw("/dev/ttyS1")
	if err != nil {
		return err
	}
	out := link.NewWriter(port)
	text, err := os.ReadFile("/" + abi.ArchiveManifest)
	if err != nil {
		return err
	}
	plan, err := manifest.Decode(text)
	if err != nil {
		return err
	}
	release, err := os.ReadFile("/proc/sys/kernel/osrelease")
	if err != nil {
		return err
	}
	hello, err := link.AppendJSON(nil, link.Greeting{Version: string(release[:len(release)-1]), Go: runtime.Version(), Cores: runtime.NumCPU()})
	if err != nil {
		return err
	}
	if err := out.Write(link.Frame{Kind: link.Hello, Program: link.None, Payload: hello}); err != nil {
		return err
	}
	for i, p := range plan.Programs {
		if err := start(out, uint16(i), p); err != nil {
			return err
		}
	}
	if err := out.Write(link.Frame{Kind: link.Bye, Program: link.None}); err != nil {
		return err
	}
	return port.Sync() // a serial port has nothing to sync and says so
}

// start runs a program to its end. An error means that the link is broken.
func start(out *link.Writer, number uint16, p manifest.Program) error {
	command := exec.Cmd{Path: "/" + p.Path, Args: p.Args, Env: p.Env, Dir: p.Cwd}
	if input, err := os.Open("/stdin/" + fmt.Sprint(number)); err == nil {
		defer input.Close()
		command.Stdin = input
	}
	stdout, err1 := command.StdoutPipe()
	stderr, err2 := command.StderrPipe()
	if err := errors.Join(err1, err2, startOn(&command, append([]int{p.Core}, p.Cores...))); err != nil {
		return out.Write(link.Frame{Kind: link.Failed, Program: number, Payload: []byte(err.Error())})
	}
	if err := out.Write(link.Frame{Kind: link.Started, Program: number, Payload: link.AppendStarted(nil, uint32(command.Process.Pid))}); err != nil {
		return err
	}
	var group sync.WaitGroup
	var errs [2]error
	for i, r := range []io.Reader{stdout, stderr} {
		group.Go(func() { errs[i] = relay(out, []link.Kind{link.Stdout, link.Stderr}[i], number, r) })
	}
	group.Wait()
	status := link.End{Status: abi.Status{Domain: uint32(command.Process.Pid), Kind: abi.ExitCode}}
	var failed *exec.ExitError
	if err := command.Wait(); err != nil && !errors.As(err, &failed) {
		errs[0] = errors.Join(errs[0], err)
	}
	if s := command.ProcessState.Sys().(syscall.WaitStatus); s.Signaled() {
		status.Kind, status.Code = abi.ExitSignal, uint64(s.Signal())
	} else {
		status.Code = uint64(s.ExitStatus())
	}
	status.CPU = int64(command.ProcessState.UserTime() + command.ProcessState.SystemTime())
	return errors.Join(errs[0], errs[1], out.Write(link.Frame{Kind: link.Exit, Program: number, Payload: link.AppendEnd(nil, &status)}))
}

// startOn starts a command on some CPUs: a child has those of the thread that
// starts it.
func startOn(command *exec.Cmd, cpus []int) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var all, some unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return fmt.Errorf("CPUs of init: %w", err)
	}
	for _, cpu := range cpus {
		some.Set(cpu)
	}
	if err := unix.SchedSetaffinity(0, &some); err != nil {
		return fmt.Errorf("take CPUs %v: %w", cpus, err)
	}
	return errors.Join(command.Start(), unix.SchedSetaffinity(0, &all))
}

// relay sends what a program writes until it has closed its end.
func relay(out *link.Writer, kind link.Kind, number uint16, r io.Reader) error {
	buf := make([]byte, 4096)
	for {
		n, err := r.Read(buf)
		if n > 0 {
			if err := out.WriteStream(kind, 0, number, buf[:n], len(buf)); err != nil {
				return err
			}
		}
		if err != nil {
			return nil // the program's end
		}
	}
}

// openRaw opens a serial port whose bytes pass unchanged.
func openRaw(name string) (*os.File, error) {
	port, err := os.OpenFile(name, os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		return nil, err
	}
	mode := syscall.Termios{Cflag: syscall.CS8 | syscall.CREAD | syscall.CLOCAL | syscall.B115200}
	mode.Cc[syscall.VMIN] = 1
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, port.Fd(), syscall.TCSETS, uintptr(unsafe.Pointer(&mode))); errno != 0 {
		return nil, fmt.Errorf("raw mode of %s: %w", name, errno)
	}
	return port, nil
}
