package linux

// Flags of clone.
const (
	CLONE_VM             = 0x100
	CLONE_FS             = 0x200
	CLONE_FILES          = 0x400
	CLONE_SIGHAND        = 0x800
	CLONE_THREAD         = 0x10000
	CLONE_SYSVSEM        = 0x40000
	CLONE_SETTLS         = 0x80000
	CLONE_PARENT_SETTID  = 0x100000
	CLONE_CHILD_CLEARTID = 0x200000
	CLONE_CHILD_SETTID   = 0x1000000
)

// Operations of futex.
const (
	FUTEX_WAIT           = 0
	FUTEX_WAKE           = 1
	FUTEX_REQUEUE        = 3
	FUTEX_CMP_REQUEUE    = 4
	FUTEX_WAKE_OP        = 5
	FUTEX_WAIT_BITSET    = 9
	FUTEX_WAKE_BITSET    = 10
	FUTEX_PRIVATE_FLAG   = 128
	FUTEX_CLOCK_REALTIME = 256
	FUTEX_CMD_MASK       = 127
)

// Operations of arch_prctl.
const (
	ARCH_SET_GS = 0x1001
	ARCH_SET_FS = 0x1002
	ARCH_GET_FS = 0x1003
	ARCH_GET_GS = 0x1004
)

// Clocks.
const (
	CLOCK_REALTIME           = 0
	CLOCK_MONOTONIC          = 1
	CLOCK_PROCESS_CPUTIME_ID = 2
	CLOCK_THREAD_CPUTIME_ID  = 3
	CLOCK_MONOTONIC_RAW      = 4
	CLOCK_REALTIME_COARSE    = 5
	CLOCK_MONOTONIC_COARSE   = 6
	CLOCK_BOOTTIME           = 7
	CLOCK_TAI                = 11

	// TIMER_ABSTIME makes the time of clock_nanosleep and timer_settime
	// absolute.
	TIMER_ABSTIME = 1
)

// Interval timers of setitimer.
const (
	ITIMER_REAL    = 0
	ITIMER_VIRTUAL = 1
	ITIMER_PROF    = 2
)

// Resources of getrlimit.
const (
	RLIMIT_CPU    = 0
	RLIMIT_FSIZE  = 1
	RLIMIT_DATA   = 2
	RLIMIT_STACK  = 3
	RLIMIT_CORE   = 4
	RLIMIT_NPROC  = 6
	RLIMIT_NOFILE = 7
	RLIMIT_AS     = 9
	RLIM_NLIMITS  = 16
	RLIM_INFINITY = 1<<64 - 1
)

// Flags of getrandom.
const (
	GRND_NONBLOCK = 1
	GRND_RANDOM   = 2
	GRND_INSECURE = 4
)

// Rlimit is what getrlimit fills.
type Rlimit struct {
	Cur, Max uint64
}

// Rusage is what getrusage fills.
type Rusage struct {
	Utime, Stime   Timeval
	Maxrss         int64 // KiB
	_              [3]int64
	Minflt, Majflt int64
	_              [6]int64
	Nvcsw, Nivcsw  int64
}

// Tms is what times fills, in clock ticks of 10 ms.
type Tms struct {
	Utime, Stime, Cutime, Cstime int64
}

// Itimerspec is a timer's setting.
type Itimerspec struct {
	Interval, Value Timespec
}

// Itimerval is an interval timer's setting.
type Itimerval struct {
	Interval, Value Timeval
}

// Utsname is what uname fills with NUL-terminated strings.
type Utsname struct {
	Sysname, Nodename, Release, Version, Machine, Domainname [65]byte
}

// Sysinfo is what sysinfo fills.
type Sysinfo struct {
	Uptime              int64
	Loads               [3]uint64
	Totalram, Freeram   uint64
	Sharedram           uint64
	Bufferram           uint64
	Totalswap, Freeswap uint64
	Procs               uint16
	_                   uint16
	_                   uint32
	Totalhigh, Freehigh uint64
	Unit                uint32
	_                   uint32
}

// Scheduling policies.
const (
	SCHED_OTHER    = 0
	SCHED_FIFO     = 1
	SCHED_RR       = 2
	SCHED_BATCH    = 3
	SCHED_IDLE     = 5
	SCHED_DEADLINE = 6

	// SCHED_RESET_ON_FORK, with a policy, keeps children from inheriting it.
	SCHED_RESET_ON_FORK = 0x40000000
)

// Bounds of fixed priorities and of nice values.
const (
	MinPriority = 1
	MaxPriority = 99
	MinNice     = -20
	MaxNice     = 19
)

// Whom getpriority and setpriority mean.
const (
	PRIO_PROCESS = 0
	PRIO_PGRP    = 1
	PRIO_USER    = 2
)

// Operations of prctl.
const (
	PR_SET_NAME = 15
	PR_GET_NAME = 16
)
