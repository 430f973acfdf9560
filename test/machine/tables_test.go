package machine

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"skerry/abi"
	"skerry/host/machine"
	"skerry/host/session"
	"skerry/lib/link"
	"skerry/test/boot"
)

// TestTables stops a running machine, reads its memory from outside, and walks
// the page tables that each core uses. It proves rule 1 of the design: no page
// that one kernel can write is mapped by another but the declared channels;
// and that nothing is writable and executable, in either ring, not even under
// two addresses.
func TestTables(t *testing.T) {
	boot.Need(t)
	const cores = 4
	m := &boot.Machine{Cores: cores}
	for i := range cores {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "spin"), Core: i})
	}
	file, running := boot.Image(t, m)
	socket := filepath.Join(t.TempDir(), "qmp")
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	ready, ended := make(chan struct{}), make(chan error, 1)
	started := make(chan struct{}, cores)
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
	for range cores {
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
	maps := make([]*mapping, cores)
	for i, root := range roots {
		maps[i] = w.walk(root)
		t.Logf("core %d: %d pages of its kernel, %d of the domain it ran", i, len(maps[i].kernel), len(maps[i].user))
	}
	channels := declared(maps[0])
	for i, a := range maps {
		for page, rights := range a.kernel {
			if rights.write && rights.execute {
				t.Errorf("core %d: kernel page %#x is writable and executable", i, page)
			}
		}
		for page, rights := range a.user {
			if rights.write && rights.execute {
				t.Errorf("core %d: user page %#x is writable and executable", i, page)
			}
			if k := a.kernel[page]; rights.write && k.execute {
				t.Errorf("core %d: the user can write the kernel's code at %#x", i, page)
			}
		}
		for j, b := range maps {
			if i == j {
				continue
			}
			shared := 0
			for page, rights := range a.kernel {
				if _, there := b.kernel[page]; !there || !rights.write || device(page) {
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
			for page, rights := range a.user {
				if rights.write && (b.kernel[page].mapped || b.user[page].mapped) {
					t.Errorf("page %#x can be written by a domain on core %d and is mapped on core %d", page, i, j)
				}
			}
		}
	}
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

// rights is what some mapping of a page allows; the union of all of them.
type rights struct{ mapped, write, execute bool }

// mapping is what an address space maps, by physical page.
type mapping struct {
	kernel, user map[uint64]rights
	at           map[uint64]uint64 // kernel address → physical page, device area only
}

// declared returns the pages of the channels between kernels, from where core
// 0 has them.
func declared(m *mapping) map[uint64]bool {
	const outboxes = abi.DeviceBase + 0x10_0000
	pages := map[uint64]bool{}
	for va, page := range m.at {
		if va >= outboxes && va < outboxes+0x100_0000 {
			pages[page] = true
		}
	}
	return pages
}

type walker struct {
	t      *testing.T
	memory []byte
}

func (w *walker) entry(table, i uint64) uint64 {
	at := table + 8*i
	if at+8 > uint64(len(w.memory)) {
		w.t.Fatalf("a page table lies at %#x, outside of memory", table)
	}
	return binary.LittleEndian.Uint64(w.memory[at:])
}

func (w *walker) walk(root uint64) *mapping {
	m := &mapping{kernel: map[uint64]rights{}, user: map[uint64]rights{}, at: map[uint64]uint64{}}
	w.table(m, root&0x000f_ffff_ffff_f000, 3, 0, rights{mapped: true, write: true, execute: true}, true)
	return m
}

// table walks one table; user says whether all entries above let users in.
func (w *walker) table(m *mapping, table uint64, level uint, va uint64, above rights, user bool) {
	const present, write, userBit, large, nx = 1, 2, 4, 1 << 7, 1 << 63
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
			if at >= 1<<47 {
				w.t.Errorf("kernel address %#x is the user's", at)
			}
		} else if at < 1<<47 && above.mapped && at>>39 == 0 && next == at {
			w.t.Errorf("%#x is still mapped one to one", at)
		}
		for off := uint64(0); off < 1<<(12+9*level); off += abi.PageSize {
			page := next&^(1<<(12+9*level)-1) + off
			old := set[page]
			set[page] = rights{true, old.write || r.write, old.execute || r.execute}
			if at >= abi.DeviceBase && at < abi.KernelBase {
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
