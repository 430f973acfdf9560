package linux

import (
	"syscall"
	"testing"
	"unsafe"
)

// TestLayouts holds every structure to the size and offsets that the kernel
// interface gives it.
func TestLayouts(t *testing.T) {
	for _, c := range []struct {
		name      string
		got, want uintptr
	}{
		{"Stat", unsafe.Sizeof(Stat{}), unsafe.Sizeof(syscall.Stat_t{})},
		{"Stat.Size", unsafe.Offsetof(Stat{}.Size), unsafe.Offsetof(syscall.Stat_t{}.Size)},
		{"Stat.Ctime", unsafe.Offsetof(Stat{}.Ctime), unsafe.Offsetof(syscall.Stat_t{}.Ctim)},
		{"Statfs", unsafe.Sizeof(Statfs{}), unsafe.Sizeof(syscall.Statfs_t{})},
		{"Rusage", unsafe.Sizeof(Rusage{}), unsafe.Sizeof(syscall.Rusage{})},
		{"Rusage.Minflt", unsafe.Offsetof(Rusage{}.Minflt), unsafe.Offsetof(syscall.Rusage{}.Minflt)},
		{"Rusage.Nvcsw", unsafe.Offsetof(Rusage{}.Nvcsw), unsafe.Offsetof(syscall.Rusage{}.Nvcsw)},
		{"Utsname", unsafe.Sizeof(Utsname{}), unsafe.Sizeof(syscall.Utsname{})},
		{"Sysinfo", unsafe.Sizeof(Sysinfo{}), unsafe.Sizeof(syscall.Sysinfo_t{})},
		{"EpollEvent", unsafe.Sizeof(EpollEvent{}), 12},
		{"Sigaction", unsafe.Sizeof(Sigaction{}), 32},
		{"SignalStack", unsafe.Sizeof(SignalStack{}), 24},
		{"Siginfo", unsafe.Sizeof(Siginfo{}), 128},
		{"Siginfo.Word0", unsafe.Offsetof(Siginfo{}.Word0), 16},
		{"Sigcontext", unsafe.Sizeof(Sigcontext{}), 256},
		{"Sigcontext.FPState", unsafe.Offsetof(Sigcontext{}.FPState), 184},
		{"Ucontext.Sigmask", unsafe.Offsetof(Ucontext{}.Sigmask), 296},
		{"SignalFrame.Info", unsafe.Offsetof(SignalFrame{}.Info), 312},
		{"DirentName", unsafe.Offsetof(syscall.Dirent{}.Name), DirentName},
	} {
		if c.got != c.want {
			t.Errorf("%s: %d, want %d", c.name, c.got, c.want)
		}
	}
}

// TestNumbers compares a sample of numbers from every range with those of the
// standard library.
func TestNumbers(t *testing.T) {
	for _, c := range []struct{ got, want int }{
		{SysRead, syscall.SYS_READ}, {SysMmap, syscall.SYS_MMAP}, {SysRtSigreturn, syscall.SYS_RT_SIGRETURN},
		{SysGetdents64, syscall.SYS_GETDENTS64}, {SysFutex, syscall.SYS_FUTEX}, {SysTgkill, syscall.SYS_TGKILL},
		{SysNewfstatat, syscall.SYS_NEWFSTATAT}, {SysPrlimit64, syscall.SYS_PRLIMIT64},
		{SysGetrandom, 318}, {SysRseq, 334}, {SysClone3, 435}, {SysFaccessat2, 439},
		{EAGAIN, int(syscall.EAGAIN)}, {ETIMEDOUT, int(syscall.ETIMEDOUT)}, {EROFS, int(syscall.EROFS)},
		{O_CLOEXEC, syscall.O_CLOEXEC}, {O_DIRECTORY, syscall.O_DIRECTORY}, {MAP_FIXED, syscall.MAP_FIXED},
	} {
		if c.got != c.want {
			t.Errorf("number %d, want %d", c.got, c.want)
		}
	}
	for number, name := range map[uint64]string{SysGetppid: "getppid", SysFutex: "futex", SysClone3: "clone3", 400: "", NumCalls: "", 1 << 62: ""} {
		if got := CallName(number); got != name {
			t.Errorf("CallName(%d) = %q, want %q", number, got, name)
		}
	}
}
