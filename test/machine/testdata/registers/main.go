// Registers makes Linux calls and page faults for which the libos touches ever
// more memory of its own, whose pages come by nested faults, and looks whether
// the registers are as before: of a call all but RAX, RCX, R11 and the vector
// registers, of a page fault all.
package main

import (
	"fmt"
	"os"
	"runtime"
	"syscall"
)

// state is what the registers are loaded with, and hold afterwards.
type state struct {
	rbx, rdx, rsi, rdi, r8, r9, r10, r12, r13, r15 uint64
	xmm                                            [16][2]uint64
}

// call makes a Linux call with the registers in s, but for the vector registers.
func call(number uint64, s *state) (result int64)

// touch writes to the address in s.rdi with all registers in s.
func touch(s *state)

// Each page lies in a gigabyte of its own: it needs page tables of its own, and
// what the libos keeps of them is in pages of its own.
const (
	first = 0x1000_0000_0000
	step  = 1 << 30
	count = 400
)

func fresh(i uint64) (s state) {
	s = state{rbx: i, rdx: i << 50, rsi: ^(i << 8), r8: i * 5, r9: i << 20, r10: i * 7, r12: ^i, r13: i * 3, r15: i << 40}
	for x := range s.xmm {
		s.xmm[x] = [2]uint64{i<<8 | uint64(x), ^(i<<16 | uint64(x))}
	}
	return s
}

func same(what string, before, after state) {
	if before != after {
		fmt.Printf("%s changed registers:\n%x\n%x\n", what, before, after)
		os.Exit(1)
	}
}

func main() {
	runtime.LockOSThread()
	for i := uint64(1); i <= count; i++ {
		s := fresh(i)
		s.rdi, s.rsi, s.rdx = first+i*step, 4096, syscall.PROT_READ|syscall.PROT_WRITE
		s.r10, s.r8 = syscall.MAP_PRIVATE|syscall.MAP_ANON|syscall.MAP_FIXED, ^uint64(0)
		before := s
		if got := call(syscall.SYS_MMAP, &s); uint64(got) != s.rdi {
			fmt.Println("mmap:", got)
			os.Exit(1)
		}
		same("mmap", before, s)
		s = fresh(i)
		s.rdi = first + i*step
		before = s
		touch(&s)
		same("a page fault", before, s)
	}
	fmt.Println("registers ok")
}
