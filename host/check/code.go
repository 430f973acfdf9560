package check

import (
	"fmt"

	"golang.org/x/arch/x86/x86asm"
)

// code is what a function does to the stack and whom it calls.
type code struct {
	relative int // most bytes below the stack pointer at entry
	fresh    int // most bytes below the start of another stack it switches to
	calls    []call
	problems []problem
}

// call is a call or a jump out of a function.
type call struct {
	at       uint64
	depth    int  // of the stack when it is made
	fresh    bool // on a stack that the function has switched to
	tail     bool // a jump
	indirect bool
	target   *function // nil if nobody knows
	text     string    // of an indirect one
}

type problem struct {
	rule Rule
	text string
}

// level is how deep the stack is before an instruction.
type level struct {
	depth int
	fresh bool
}

// maxLevel ends the search of a loop that pushes without end.
const maxLevel = 1 << 20

// instruction is one of a function's.
type instruction struct {
	x86asm.Inst
	addr  uint64
	len   int
	known bool // decoded, not only measured
}

// decode cuts a function into instructions.
func (w *walk) decode(f *function) (list []instruction, bad []uint64) {
	bytes := w.read(f.addr, f.size)
	for at := 0; at < len(bytes); {
		in := instruction{addr: f.addr + uint64(at)}
		inst, err := x86asm.Decode(bytes[at:], 64)
		if err == nil && !vector(bytes[at]) {
			in.Inst, in.len, in.known = inst, inst.Len, true
		} else if in.len = measure(bytes[at:]); in.len == 0 {
			bad = append(bad, in.addr)
			in.len = 1
		}
		list = append(list, in)
		at += in.len
	}
	return list, bad
}

// analyze follows a function from its entry, and from where nothing leads to:
// the targets of its jump tables, which are taken to be at the level of the
// jump.
func (w *walk) analyze(f *function) code {
	var c code
	list, bad := w.decode(f)
	index := make(map[uint64]int, len(list))
	for i := range list {
		index[list[i].addr] = i
	}
	for _, addr := range bad {
		c.problems = append(c.problems, problem{Undecodable, fmt.Sprintf("%s+%#x", f.name, addr-f.addr)})
	}
	levels := make([]level, len(list))
	visited := make([]bool, len(list))
	reached := make(map[int]call) // calls by instruction
	table := level{}
	hasTable := false
	var work []int
	flow := func(i int, l level) {
		if i >= len(list) {
			return
		}
		if visited[i] && (l.depth <= levels[i].depth || levels[i].depth > maxLevel) {
			return
		}
		visited[i], levels[i] = true, l
		work = append(work, i)
	}
	run := func() {
		for len(work) > 0 {
			i := work[len(work)-1]
			work = work[:len(work)-1]
			in, before := &list[i], levels[i]
			after := before
			if in.known {
				after = effect(in, before)
			}
			if after.depth > maxLevel {
				c.problems = append(c.problems, problem{Unbalanced, fmt.Sprintf("%s+%#x", f.name, in.addr-f.addr)})
				continue
			}
			if after.fresh {
				c.fresh = max(c.fresh, after.depth)
			} else {
				c.relative = max(c.relative, after.depth)
			}
			if !in.known {
				flow(i+1, after)
				continue
			}
			switch kind, target := in.branch(); kind {
			case stop:
			case jump, jumpIf:
				if j, ok := index[target]; ok && within(f, target) {
					flow(j, after)
				} else {
					reached[i] = call{at: in.addr, depth: before.depth, fresh: before.fresh, tail: true, target: w.at(target)}
				}
				if kind == jumpIf {
					flow(i+1, after)
				}
			case jumpTo:
				if memory, ok := in.Args[0].(x86asm.Mem); ok && memory.Index != 0 && memory.Scale == 8 {
					table, hasTable = after, true
				} else {
					reached[i] = call{at: in.addr, depth: before.depth, fresh: before.fresh, tail: true, indirect: true, text: "jumps to " + in.Args[0].String()}
				}
			case callOf:
				reached[i] = call{at: in.addr, depth: before.depth, fresh: before.fresh, target: w.at(target)}
				if g := w.at(target); g == nil || !trap(plain(g.name)) {
					flow(i+1, after)
				}
			case callTo:
				reached[i] = call{at: in.addr, depth: before.depth, fresh: before.fresh, indirect: true, text: "calls " + in.Args[0].String()}
				flow(i+1, after)
			default:
				flow(i+1, after)
			}
		}
	}
	flow(0, level{})
	run()
	for i := range list {
		if hasTable && !visited[i] && !padding(&list[i]) {
			flow(i, table)
			run()
		}
	}
	for i := range list {
		if call, ok := reached[i]; ok {
			c.calls = append(c.calls, call)
		}
	}
	return c
}

func within(f *function, addr uint64) bool { return addr >= f.addr && addr < f.addr+f.size }

func padding(in *instruction) bool {
	return in.known && (in.Op == x86asm.NOP || in.Op == x86asm.INT)
}

// branch kinds.
const (
	next   = iota
	stop   // does not go on
	jump   // to a known address
	jumpIf // or goes on
	jumpTo // where nobody knows
	callOf
	callTo // nobody knows whom
)

// branch says where an instruction leads.
func (in *instruction) branch() (kind int, target uint64) {
	relative, direct := in.Args[0].(x86asm.Rel)
	target = in.addr + uint64(in.len) + uint64(int64(relative))
	switch in.Op {
	case x86asm.RET, x86asm.LRET, x86asm.IRET, x86asm.IRETD, x86asm.IRETQ,
		x86asm.SYSRET, x86asm.SYSEXIT, x86asm.UD2, x86asm.UD1, x86asm.LJMP:
		return stop, 0
	case x86asm.INT:
		if in.Args[0] == x86asm.Imm(3) {
			return stop, 0
		}
		return next, 0
	case x86asm.JMP:
		if direct {
			return jump, target
		}
		return jumpTo, 0
	case x86asm.CALL:
		if direct {
			return callOf, target
		}
		return callTo, 0
	case x86asm.LCALL:
		return callTo, 0
	}
	if direct { // what else has a relative operand is a conditional jump
		return jumpIf, target
	}
	return next, 0
}

// effect returns the level after an instruction.
func effect(in *instruction, l level) level {
	toSP := in.Args[0] == x86asm.RSP
	switch in.Op {
	case x86asm.PUSH, x86asm.PUSHF, x86asm.PUSHFD, x86asm.PUSHFQ:
		l.depth += 8
	case x86asm.POP, x86asm.POPF, x86asm.POPFD, x86asm.POPFQ:
		l.depth -= 8
		if toSP {
			l = level{fresh: true}
		}
	case x86asm.SUB, x86asm.ADD:
		if n, ok := in.Args[1].(x86asm.Imm); toSP && ok {
			if in.Op == x86asm.ADD {
				n = -n
			}
			l.depth += int(n)
		} else if toSP {
			l = level{fresh: true}
		}
	case x86asm.INC, x86asm.DEC, x86asm.OR, x86asm.XOR, x86asm.XCHG, x86asm.MOV, x86asm.LEAVE:
		if toSP || in.Op == x86asm.LEAVE || in.Op == x86asm.XCHG && in.Args[1] == x86asm.RSP {
			l = level{fresh: true}
		}
	case x86asm.AND: // aligns down
		if n, ok := in.Args[1].(x86asm.Imm); toSP && ok && n < 0 {
			l.depth += int(-n) - 1
		} else if toSP {
			l = level{fresh: true}
		}
	case x86asm.LEA:
		if memory := in.Args[1].(x86asm.Mem); toSP {
			if memory.Base == x86asm.RSP && memory.Index == 0 {
				l.depth -= int(memory.Disp)
			} else {
				l = level{fresh: true}
			}
		}
	}
	if l.fresh {
		// Assembly takes the bottom of a stack and adds its size: the top is
		// level 0 all the same.
		l.depth = max(l.depth, 0)
	}
	return l
}
