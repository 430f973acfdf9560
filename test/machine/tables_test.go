package machine

import (
	"bufio"
	"bytes"
	"context"
	"debug/elf"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unsafe"

	"skerry/abi"
	"skerry/host/machine"
	"skerry/host/session"
	"skerry/kernel/kcb"
	"skerry/lib/link"
	"skerry/test/boot"
)

// TestTables stops a running machine, reads its memory from outside, and walks
// the page tables of all kernels and all domains. It proves rule 1 of the design: no page
// that one kernel can write is mapped by another but the declared channels;
// and that nothing is writable and executable, in either ring, not even under
// two addresses. One of the programs spans the cores: what its dispatchers share
// is what they must, and only they have it.
func TestTables(t *testing.T) {
	boot.Need(t)
	const cores = 4
	m := &boot.Machine{Cores: cores}
	for i := range cores {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "spin"), Core: i})
	}
	m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "spin"), Core: 1, Cores: []int{0, 2, 3}})
	file, running := boot.Image(t, m)
	socket := filepath.Join(t.TempDir(), "qmp")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ready, ended := make(chan struct{}), make(chan error, 1)
	started := make(chan struct{}, cores+1)
	go func() {
		_, err := session.Run(ctx, &session.Config{
			Machine: machine.Config{Image: file, Cores: cores, Memory: 512 << 20, Accel: machine.TCG,
				Extra: []string{"-qmp", "unix:" + socket + ",server=on,wait=off"}},
			Programs: running, Stdout: lineCounter{started}, Stderr: os.Stderr,
			Ready: func(link.Greeting) { close(ready) },
		})
		ended <- err
	}()
	select {
	case <-ready:
	case err := <-ended:
		t.Fatal("the machine did not start: ", err)
	}
	for range cores + 1 {
		select {
		case <-started:
		case err := <-ended:
			t.Fatal("the programs did not start: ", err)
		}
	}
	memory, roots := snapshot(t, socket, cores)
	cancel()
	<-ended

	w := &walker{t: t, memory: memory}
	kcbAt := symbolAddress(t, boot.System(t).Kernel, "skerry/kernel/boot.coreKCB")
	var kernels []*mapping
	var domains []*space
	for core, root := range roots {
		kernel := w.walk(root)
		kernels = append(kernels, kernel)
		block := (*kcb.KCB)(w.at(kernel.find(t, w.word(kernel.find(t, kcbAt)))))
		if block.Magic != kcb.Magic || block.Machine.Core != uint32(core) {
			t.Fatalf("core %d: no kernel control block where the kernel says", core)
		}
		for _, d := range block.Dispatchers {
			if d == nil {
				continue
			}
			d := (*kcb.DCB)(w.at(kernel.find(t, uint64(uintptr(unsafe.Pointer(d))))))
			domains = append(domains, &space{core: core, domain: d, mapping: w.walk(uint64(d.Root))})
		}
	}
	if len(domains) != 3*cores {
		t.Errorf("%d dispatchers, want a monitor, a program and part of another on each of %d cores", len(domains), cores)
	}
	checkKernels(t, kernels)
	checkSpans(t, kernels, domains, cores)
	checkDomains(t, kernels, domains)
}

// space is the address space of a domain.
type space struct {
	core   int
	domain *kcb.DCB
	// home is the core that owns what the program's dispatchers share, -1 if there
	// is nothing like that.
	home int
	*mapping
}

// with reports whether two are dispatchers of the same program.
func (s *space) with(o *space) bool { return s.span != 0 && s.span == o.span }

// common reports whether what a dispatcher has at an address is its program's.
func (s *space) common(va uint64) bool {
	return s.span != 0 && (va < abi.SpanTop || va-abi.SpanBase < abi.SpanSize(abi.MaxDispatchers))
}

func (s *space) String() string {
	name, _, _ := strings.Cut(string(s.domain.Name[:]), "\x00")
	return fmt.Sprintf("core %d, domain %d (%s)", s.core, s.domain.Domain, name)
}

// monitor says that it is the first domain of its core.
func (s *space) monitor() bool { return s.domain.Domain == 1 }

// checkKernels checks what the kernels map: nothing writable and executable,
// nothing that another can write but the declared channels.
func checkKernels(t *testing.T, kernels []*mapping) {
	channels := declared(kernels[0])
	for i, a := range kernels {
		for page, r := range a.kernel {
			if r.write && r.execute {
				t.Errorf("core %d: kernel page %#x is writable and executable", i, page)
			}
		}
		for j, b := range kernels {
			if i == j {
				continue
			}
			shared := 0
			for page, r := range a.kernel {
				if _, there := b.kernel[page]; !there || !r.write || device(page) {
					continue
				}
				if channels[page] {
					shared++
					continue
				}
				t.Errorf("page %#x can be written by core %d's kernel and is mapped by core %d's", page, i, j)
			}
			if shared == 0 {
				t.Errorf("cores %d and %d share no channel: the walk saw too little", i, j)
			}
		}
	}
}

// checkSpans checks what the dispatchers of the program on several cores share:
// home's page tables for the program's memory, in its core's memory, and the frame at
// abi.SpanBase; nobody else has any of these tables, or one of another core.
func checkSpans(t *testing.T, kernels []*mapping, domains []*space, cores int) {
	spanned := 0
	for _, a := range domains {
		a.home = -1
		if a.span == 0 {
			continue
		}
		spanned++
		for core, k := range kernels {
			if k.kernel[a.span].mapped {
				a.home = core
			}
		}
		if a.home != 1 {
			t.Errorf("%v: home is core %d, want 1", a, a.home)
		}
	}
	if spanned != cores {
		t.Errorf("%d dispatchers have a frame that they share, want %d", spanned, cores)
	}
	for _, a := range domains {
		shared := 0
		for table, va := range a.userTables {
			own := kernels[a.core].kernel[table].mapped
			if !own && !(a.common(va) && va < abi.SpanTop && kernels[a.home].kernel[table].mapped) {
				t.Errorf("%v: the table for %#x, at %#x, is not its core's", a, va, table)
			}
			for _, b := range domains {
				other, there := b.userTables[table]
				if a == b || !there {
					continue
				}
				shared++
				if !a.with(b) || va != other || va >= abi.SpanTop {
					t.Errorf("%v and %v share the table at %#x, for %#x and %#x", a, b, table, va, other)
				}
			}
		}
		if shared < (spanned-1)*abi.SpanTables && a.span != 0 {
			t.Errorf("%v shares %d tables", a, shared)
		}
	}
}

// checkDomains checks every domain's address space: its kernel half is its
// core's; it maps nothing writable and executable, no page table, nothing of
// another core's kernel that one of them could write, but what home has of the
// program, and shares nothing writable but its channels with its monitor, that
// with the other dispatchers, and monitors theirs.
func checkDomains(t *testing.T, kernels []*mapping, domains []*space) {
	for _, a := range domains {
		if len(a.kernel) != len(kernels[a.core].kernel) {
			t.Errorf("%v: its kernel half is not its core's: %d pages, not %d", a, len(a.kernel), len(kernels[a.core].kernel))
		}
		for page, r := range a.user {
			if r.write && r.execute {
				t.Errorf("%v: page %#x is writable and executable", a, page)
			}
			for _, b := range domains {
				if b.tables[page] {
					t.Errorf("%v maps page %#x, a page table of %v", a, page, b)
				}
			}
			for core, k := range kernels {
				in := k.kernel[page]
				if r.write && in.execute {
					t.Errorf("%v can write the code of core %d's kernel at %#x", a, core, page)
				}
				if core != a.core && in.write && !(core == a.home && a.common(r.va)) {
					t.Errorf("%v maps page %#x, which core %d's kernel can write", a, page, core)
				}
			}
		}
		for _, b := range domains {
			if a == b {
				continue
			}
			for page, r := range a.user {
				other, there := b.user[page]
				if !there || !r.write {
					continue
				}
				stdio := a.core == b.core && (b.monitor() && inStdio(r.va) || a.monitor() && inStdio(other.va))
				channel := a.monitor() && b.monitor() && inChannels(r.va) && inChannels(other.va)
				program := a.with(b) && a.common(r.va) && r.va == other.va
				if !stdio && !channel && !program {
					t.Errorf("page %#x can be written by %v and is mapped by %v", page, a, b)
				}
			}
		}
	}
}

func inStdio(va uint64) bool { return va-abi.StdioBase < abi.ChannelsSize }

func inChannels(va uint64) bool {
	return va-abi.MonitorChannels < abi.MaxCores*abi.MonitorChannelSize
}

// symbolAddress returns the address of a symbol of an ELF file.
func symbolAddress(t *testing.T, file []byte, name string) uint64 {
	t.Helper()
	f, err := elf.NewFile(bytes.NewReader(file))
	if err != nil {
		t.Fatal(err)
	}
	symbols, err := f.Symbols()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range symbols {
		if s.Name == name {
			return s.Value
		}
	}
	t.Fatalf("the kernel has no symbol %s", name)
	return 0
}

// lineCounter says when a line has come.
type lineCounter struct{ c chan struct{} }

func (l lineCounter) Write(b []byte) (int, error) {
	for _, c := range b {
		if c == '\n' {
			select {
			case l.c <- struct{}{}:
			default:
			}
		}
	}
	return len(b), nil
}

// device says that a page is registers of a device, which each core has of its
// own or which is the first core's alone.
func device(page uint64) bool { return page >= 0xfec0_0000 && page < 0x1_0000_0000 }

// rights is what some mapping of a page allows; the union of all of them. va is
// the last address it is mapped at.
type rights struct {
	mapped, write, execute bool
	va                     uint64
}

// mapping is what an address space maps, by physical page.
type mapping struct {
	kernel, user map[uint64]rights
	at           map[uint64]uint64 // kernel address → physical page
	tables       map[uint64]bool   // the pages of its tables
	userTables   map[uint64]uint64 // those of the user half below the top: page → first address
	span         uint64            // the page at abi.SpanBase, 0 for none
}

// find returns the physical address that a kernel address is mapped to.
func (m *mapping) find(t *testing.T, va uint64) uint64 {
	t.Helper()
	page, ok := m.at[va&^(abi.PageSize-1)]
	if !ok {
		t.Fatalf("kernel address %#x is not mapped", va)
	}
	return page + va&(abi.PageSize-1)
}

// declared returns the pages of the channels between kernels, from where core
// 0 has them.
func declared(m *mapping) map[uint64]bool {
	const outboxes, mailboxes = abi.DeviceBase + 0x10_0000, kcb.MailboxesAt
	pages := map[uint64]bool{}
	for va, page := range m.at {
		if va >= outboxes && va < outboxes+0x100_0000 || va >= mailboxes && va < kcb.LibosAt {
			pages[page] = true
		}
	}
	return pages
}

type walker struct {
	t      *testing.T
	memory []byte
}

// at returns where physical memory lies in the copy.
func (w *walker) at(phys uint64) unsafe.Pointer {
	if phys+abi.PageSize > uint64(len(w.memory)) {
		w.t.Fatalf("physical address %#x lies outside of memory", phys)
	}
	return unsafe.Pointer(&w.memory[phys])
}

func (w *walker) word(phys uint64) uint64 { return *(*uint64)(w.at(phys)) }

func (w *walker) entry(table, i uint64) uint64 {
	at := table + 8*i
	if at+8 > uint64(len(w.memory)) {
		w.t.Fatalf("a page table lies at %#x, outside of memory", table)
	}
	return binary.LittleEndian.Uint64(w.memory[at:])
}

func (w *walker) walk(root uint64) *mapping {
	m := &mapping{kernel: map[uint64]rights{}, user: map[uint64]rights{}, at: map[uint64]uint64{}, tables: map[uint64]bool{}, userTables: map[uint64]uint64{}}
	w.table(m, root&0x000f_ffff_ffff_f000, 3, 0, rights{mapped: true, write: true, execute: true}, true)
	return m
}

// table walks one table; user says whether all entries above let users in.
func (w *walker) table(m *mapping, table uint64, level uint, va uint64, above rights, user bool) {
	const present, write, userBit, large, nx = 1, 2, 4, 1 << 7, 1 << 63
	m.tables[table] = true
	if level < 3 && va < 1<<47 {
		m.userTables[table] = va
	}
	for i := range uint64(512) {
		e := w.entry(table, i)
		if e&present == 0 {
			continue
		}
		at := va | i<<(12+9*level)
		if level == 3 && i >= 256 {
			at |= 0xffff << 48
		}
		r := above
		r.write = r.write && e&write != 0
		r.execute = r.execute && e&nx == 0
		u := user && e&userBit != 0
		next := e & 0x000f_ffff_ffff_f000
		if level > 0 && e&large == 0 {
			w.table(m, next, level-1, at, r, u)
			continue
		}
		set := m.kernel
		if u {
			set = m.user
			if at == abi.SpanBase {
				m.span = next
			}
			if at >= 1<<47 {
				w.t.Errorf("kernel address %#x is the user's", at)
			}
		} else if at < 1<<47 && above.mapped && at>>39 == 0 && next == at {
			w.t.Errorf("%#x is still mapped one to one", at)
		}
		for off := uint64(0); off < 1<<(12+9*level); off += abi.PageSize {
			page := next&^(1<<(12+9*level)-1) + off
			old := set[page]
			set[page] = rights{true, old.write || r.write, old.execute || r.execute, at + off}
			if !u {
				m.at[at+off] = page
			}
		}
	}
}

// snapshot stops the machine and returns its memory and each core's CR3.
func snapshot(t *testing.T, socket string, cores int) (memory []byte, roots []uint64) {
	t.Helper()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(time.Minute))
	in := bufio.NewScanner(conn)
	in.Buffer(nil, 1<<20)
	do := func(command string, arguments any) json.RawMessage {
		t.Helper()
		b, _ := json.Marshal(map[string]any{"execute": command, "arguments": arguments})
		if _, err := conn.Write(append(b, '\n')); err != nil {
			t.Fatal(err)
		}
		for in.Scan() {
			var reply struct {
				Return json.RawMessage
				Error  json.RawMessage
			}
			if err := json.Unmarshal(in.Bytes(), &reply); err != nil {
				t.Fatal(err)
			}
			if reply.Error != nil {
				t.Fatalf("%s: %s", command, reply.Error)
			}
			if reply.Return != nil {
				return reply.Return
			}
		}
		t.Fatalf("%s: no answer: %v", command, in.Err())
		return nil
	}
	none := struct{}{}
	do("qmp_capabilities", none)
	do("stop", none)
	var registers string
	if err := json.Unmarshal(do("human-monitor-command", map[string]any{"command-line": "info registers -a"}), &registers); err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`CR3=([0-9a-f]+)`).FindAllStringSubmatch(registers, -1) {
		v, err := strconv.ParseUint(m[1], 16, 64)
		if err != nil {
			t.Fatal(err)
		}
		roots = append(roots, v)
	}
	if len(roots) != cores {
		t.Fatalf("%d page table roots for %d cores", len(roots), cores)
	}
	dump := filepath.Join(t.TempDir(), "memory")
	do("pmemsave", map[string]any{"val": 0, "size": 512 << 20, "filename": dump})
	memory, err = os.ReadFile(dump)
	if err != nil {
		t.Fatal(err)
	}
	if len(memory) != 512<<20 {
		t.Fatal(fmt.Sprintf("%d bytes of memory saved", len(memory)))
	}
	return memory, roots
}
