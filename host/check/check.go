// Package check proves of a linked Go program that the code reached from its
// freestanding entry points can run without a Go runtime below it: that it
// allocates nothing, has no write barrier, calls nothing in the runtime that
// wants a scheduler, does not recurse, makes no indirect call that was not
// declared, and fits on the stacks it runs on. It reads the machine code, so it
// sees what the compiler made, not what the source seems to say.
//
// Calls to runtime.morestack are not followed: every Go prologue has one, and
// it is not taken because the stack guard of the g under which freestanding
// code runs is 0. That is why the stack check is ours to make. A runtime panic
// (an index out of range) ends in a trap: it is a leaf of the graph.
//
// Tests and host commands import it. It needs the program's symbol table; it
// must never guess: what it cannot follow is a finding.
package check

import (
	"fmt"
	"slices"
	"sort"
	"strings"
)

// Config says where freestanding code starts and what it may do.
type Config struct {
	Entries []Entry
	// Indirect names, for each function that makes indirect calls or jumps,
	// what they can reach: functions, or "@" and the name of a variable that
	// is an array or slice of functions. An empty list says that they leave
	// the freestanding code, such as a return to user mode.
	Indirect map[string][]string
	// Ends are functions at which freestanding code ends, for instance
	// because a runtime starts there.
	Ends []string
	// Allowed are functions of the runtime that may be called besides those
	// known to be freestanding.
	Allowed []string
}

// Entry is where freestanding code starts.
type Entry struct {
	Symbol string
	// Stack is the size in bytes of the stack it runs on, Pushed what of it
	// is taken before the first instruction.
	Stack, Pushed int
	// StackIn names the variable that the stack lies in; its size is Stack, if
	// that is 0, divided by StackCount, if that is not.
	StackIn    string
	StackCount int
	// BeforeRuntime says that the code runs before the Go runtime of the
	// program starts, if ever: its write barrier is off then, so that
	// compiled-in calls of it are not made.
	BeforeRuntime bool
}

// Report is what a check found.
type Report struct {
	Findings  []Finding
	Paths     []Path
	Functions int // reached
}

// Finding is a rule that is broken.
type Finding struct {
	Rule  Rule
	Text  string
	Chain []string // of calls, from the entry to where it is broken
}

// Rule is what a finding is about.
type Rule string

// The rules.
const (
	RuntimeCall  Rule = "runtime call"  // to a function that needs a running runtime
	Recursion    Rule = "recursion"     // whose depth nobody knows
	IndirectCall Rule = "indirect call" // not declared
	DeepPath     Rule = "deep path"     // deeper than the stack
	BadConfig    Rule = "configuration" // a name that is not in the program
	Unbalanced   Rule = "unbalanced"    // stack pointer that grows in a loop
	Undecodable  Rule = "undecodable"   // bytes that are no instruction
)

// String returns the finding in one line.
func (f Finding) String() string {
	s := string(f.Rule) + ": " + f.Text
	if len(f.Chain) > 0 {
		s += ": " + strings.Join(f.Chain, " → ")
	}
	return s
}

// Path is the deepest path from an entry.
type Path struct {
	Entry Entry
	Bytes int
	Chain []string
}

// String returns the path in one line.
func (p Path) String() string {
	return fmt.Sprintf("%s: %d of %d bytes: %s", p.Entry.Symbol, p.Bytes, p.Entry.Stack, strings.Join(p.Chain, " → "))
}

// Check checks the ELF program at path. The error says why it could not be
// checked at all.
func Check(path string, config Config) (Report, error) {
	p, err := open(path)
	if err != nil {
		return Report{}, fmt.Errorf("check %s: %w", path, err)
	}
	w := &walk{program: p, config: config, depth: make(map[place]*depth), seen: make(map[string]bool)}
	w.run()
	return w.report, nil
}

// walk goes through the call graph.
type walk struct {
	*program
	config Config
	report Report
	depth  map[place]*depth
	early  bool   // the entry under check runs before the runtime
	chain  []step // to where the walk is
	seen   map[string]bool
}

// place is a function, and whether it runs before the runtime.
type place struct {
	f     *function
	early bool
}

// step is a function on the chain and how it was reached.
type step struct {
	f    *function
	tail bool // by a jump that leaves nothing of its caller on the stack
}

// depth is how deep the stack gets below a function.
type depth struct {
	active bool // on the chain
	// relative is the most bytes below the stack pointer at its entry, fresh
	// the most below the start of a stack that it or a callee switches to.
	relative, fresh int
	next, freshNext *function // on the deepest path
}

func (w *walk) run() {
	for name := range w.config.Indirect {
		if w.lookup(name) == nil {
			w.find(BadConfig, "Indirect: no function "+name)
		}
	}
	for _, e := range w.config.Entries {
		f := w.lookup(e.Symbol)
		if f == nil {
			w.find(BadConfig, "Entries: no function "+e.Symbol)
			continue
		}
		if e.Stack == 0 {
			v, ok := w.objects[e.StackIn]
			if !ok {
				w.find(BadConfig, "Entries: no variable "+e.StackIn)
				continue
			}
			e.Stack = int(v.Size) / max(1, e.StackCount)
		}
		w.early = e.BeforeRuntime
		d := w.visit(f, false)
		path := Path{Entry: e, Bytes: e.Pushed + d.relative}
		next := func(d *depth) *function { return d.next }
		if d.fresh > path.Bytes {
			path.Bytes = d.fresh
			next = func(d *depth) *function {
				if d.freshNext != nil {
					return d.freshNext
				}
				return d.next
			}
		}
		for g := f; g != nil && len(path.Chain) < 200; {
			path.Chain = append(path.Chain, g.name)
			d := w.depth[place{g, w.early}]
			if d == nil {
				break // a trap
			}
			g = next(d)
		}
		w.report.Paths = append(w.report.Paths, path)
		if path.Bytes > e.Stack {
			w.report.Findings = append(w.report.Findings, Finding{DeepPath,
				fmt.Sprintf("%d bytes on a stack of %d", path.Bytes, e.Stack), path.Chain})
		}
	}
	w.report.Functions = len(w.depth)
	sort.SliceStable(w.report.Findings, func(i, j int) bool { return w.report.Findings[i].Rule < w.report.Findings[j].Rule })
}

// find adds a finding about where the walk is, once.
func (w *walk) find(rule Rule, text string) {
	key := string(rule) + text
	if n := len(w.chain); n > 0 {
		key += w.chain[n-1].f.name
	}
	if w.seen[key] {
		return
	}
	w.seen[key] = true
	var chain []string
	for _, s := range w.chain {
		chain = append(chain, s.f.name)
	}
	w.report.Findings = append(w.report.Findings, Finding{rule, text, chain})
}

// visit walks everything below f, once.
func (w *walk) visit(f *function, tail bool) *depth {
	if d := w.depth[place{f, w.early}]; d != nil {
		if d.active {
			w.cycle(f, tail)
		}
		return d
	}
	d := &depth{active: true}
	w.depth[place{f, w.early}] = d
	w.chain = append(w.chain, step{f, tail})
	defer func() {
		d.active = false
		w.chain = w.chain[:len(w.chain)-1]
	}()

	code := w.analyze(f)
	for _, problem := range code.problems {
		w.find(problem.rule, problem.text)
	}
	d.relative, d.fresh = code.relative, code.fresh
	for _, call := range code.calls {
		for _, callee := range w.targets(f, call) {
			if skipped(callee.name) || slices.Contains(w.config.Ends, plain(callee.name)) {
				continue
			}
			// Nothing of the caller is left below a tail jump from the level of
			// its entry.
			below := w.below(callee, call.tail && (call.depth <= 0 || call.fresh))
			if below == nil {
				continue
			}
			at := call.depth
			if !call.tail {
				at += 8
			}
			if call.fresh {
				if at+below.relative > d.fresh {
					d.fresh, d.freshNext = at+below.relative, callee
				}
			} else if at+below.relative > d.relative {
				d.relative, d.next = at+below.relative, callee
			}
			if below.fresh > d.fresh {
				d.fresh, d.freshNext = below.fresh, callee
			}
		}
	}
	return d
}

// below returns how deep a callee goes, nil for one that may not be called.
func (w *walk) below(callee *function, tail bool) *depth {
	switch name := plain(callee.name); {
	case trap(name):
		return &depth{relative: trapReserve}
	case w.early && barrier(name):
		return nil
	case forbidden(name) && !slices.Contains(w.config.Allowed, name):
		w.find(RuntimeCall, "calls "+callee.name)
		return nil
	}
	return w.visit(callee, tail)
}

// targets returns what a call can reach.
func (w *walk) targets(f *function, call call) []*function {
	if !call.indirect {
		if call.target == nil {
			w.find(IndirectCall, fmt.Sprintf("%s+%#x calls an address without a symbol", f.name, call.at-f.addr))
			return nil
		}
		return []*function{call.target}
	}
	names, ok := w.config.Indirect[plain(f.name)]
	if !ok {
		w.find(IndirectCall, fmt.Sprintf("%s+%#x: %s", f.name, call.at-f.addr, call.text))
		return nil
	}
	var list []*function
	for _, name := range names {
		if table, ok := strings.CutPrefix(name, "@"); ok {
			functions, err := w.table(table)
			if err != nil {
				w.find(BadConfig, err.Error())
			}
			list = append(list, functions...)
		} else if g := w.lookup(name); g != nil {
			list = append(list, g)
		} else {
			w.find(BadConfig, "Indirect: no function "+name)
		}
	}
	return list
}

// cycle judges a call of f, which is on the chain already.
func (w *walk) cycle(f *function, tail bool) {
	start := slices.IndexFunc(w.chain, func(s step) bool { return s.f == f })
	loop := tail
	for _, s := range w.chain[start+1:] {
		loop = loop && s.tail
	}
	if loop {
		return // it goes round by jumps and leaves nothing on the stack
	}
	chain := w.chain
	w.chain = append(slices.Clone(chain), step{f: f})
	w.find(Recursion, f.name+" reaches itself")
	w.chain = chain
}
