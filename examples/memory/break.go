package main

import (
	"fmt"
	"syscall"
)

// breakCases are about brk, which nothing else in a Go program uses. Each
// leaves the break where it was.
var breakCases = []memoryCase{
	{"brk-asked", func() string { return fmt.Sprint(brk(0) == brk(0), brk(0) != 0) }},
	{"brk-grow", func() string { return broken(4 * page) }},
	{"brk-grow-by-less-than-a-page", func() string { return broken(100) }},
	{"brk-grow-by-2-mib", func() string { return broken(huge) }},
	{"brk-shrink", func() string {
		return onBreak(func(start uintptr) string {
			brk(start + 4*page)
			letters(start, 4)
			moved := brk(start+2*page) - start
			return words(fmt.Sprint(moved), look(start, 4))
		})
	}},
	{"brk-grow-again-zeroed", func() string {
		return onBreak(func(start uintptr) string {
			brk(start + 4*page)
			letters(start, 4)
			brk(start + page)
			brk(start + 4*page)
			return look(start, 4)
		})
	}},
	{"brk-keeps-its-page", func() string {
		return onBreak(func(start uintptr) string {
			brk(start + 100)
			letters(start, 1)
			brk(start + 50)
			brk(start + 2*page)
			return look(start, 2)
		})
	}},
	{"brk-below-its-start", func() string {
		return onBreak(func(start uintptr) string { return fmt.Sprint(brk(page) - start) })
	}},
	{"brk-beyond-the-top", func() string {
		return onBreak(func(start uintptr) string { return fmt.Sprint(brk(top+page) - start) })
	}},
	{"brk-into-a-region", func() string {
		return onBreak(func(start uintptr) string {
			areaAt(start+4*page, 1)
			defer unmap(start+4*page, page)
			near, far := brk(start+3*page)-start, brk(start+8*page)-start
			return fmt.Sprint(near, far)
		})
	}},
	{"brk-unmapped", func() string {
		return onBreak(func(start uintptr) string {
			brk(start + 4*page)
			letters(start, 4)
			errno := unmap(start+page, page)
			return words(name(errno), look(start, 4), fmt.Sprint(brk(start+5*page)-start), look(start, 5))
		})
	}},
	{"brk-protected", func() string {
		return onBreak(func(start uintptr) string {
			brk(start + 4*page)
			letters(start, 4)
			errno := protect(start+page, 2*page, read)
			return words(name(errno), look(start, 4), try(start, 4))
		})
	}},
}

// brk asks for a break and returns where it is then.
func brk(to uintptr) uintptr {
	at, _, _ := syscall.RawSyscall(syscall.SYS_BRK, to, 0, 0)
	return at
}

// onBreak runs f with the break at the start of a page, and puts it back.
func onBreak(f func(start uintptr) string) string {
	before := brk(0)
	start := (before + page - 1) &^ (page - 1)
	if brk(start) != start {
		return "the break does not move"
	}
	text := f(start)
	brk(start)
	return words(text, fmt.Sprint(brk(before) == before))
}

// broken moves the break up and says what is there.
func broken(by uintptr) string {
	return onBreak(func(start uintptr) string {
		moved := brk(start+by) - start
		n := (by + page - 1) / page
		return words(fmt.Sprint(moved), around(start, n*page), around(letters(start, 1), page), look(start+n*page, 1))
	})
}
