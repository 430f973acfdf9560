package ring

import (
	"os"
	"syscall"
	"testing"
	"unsafe"

	"skerry/lib/channel"
	"skerry/lib/urpc"
	"skerry/lib/wait"
)

const pageSize = 4096

// memory is a file that processes share, as it is mapped in this one.
type memory struct {
	file  *os.File
	bytes []byte
}

func newMemory(t testing.TB, size int) *memory {
	t.Helper()
	f, err := os.CreateTemp(t.TempDir(), "memory")
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Truncate(int64(size)); err != nil {
		t.Fatal(err)
	}
	m, err := mapMemory(f, size)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Munmap(m.bytes)
		f.Close()
	})
	return m
}

func mapMemory(f *os.File, size int) (*memory, error) {
	b, err := syscall.Mmap(int(f.Fd()), 0, size, syscall.PROT_READ|syscall.PROT_WRITE, syscall.MAP_SHARED)
	return &memory{f, b}, err
}

func (m *memory) at(offset int) uintptr { return uintptr(unsafe.Pointer(&m.bytes[offset])) }

// boardSize is the size of the memory of a program's board: a page with the hints
// and one with the sleep word.
const boardSize = 2 * pageSize

// program is what a program has: a Set with a board, and the file that rings it.
type program struct {
	set   *wait.Set
	board *memory
	bell  *os.File
}

func newProgram(t testing.TB) *program {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	p, err := programOf(newMemory(t, boardSize), r, w)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		p.set.Close()
		w.Close()
	})
	return p
}

// programOf returns a program that waits on a file.
func programOf(board *memory, wakes, rings *os.File) (*program, error) {
	owner := new(urpc.Board)
	owner.Attach(board.at(0), board.at(pageSize))
	set, err := wait.On(wakes, owner)
	return &program{set, board, rings}, err
}

// one is what is written to ring.
var one = []byte{1}

func (p *program) ring() error {
	_, err := p.bell.Write(one)
	return err
}

// attach returns what hints a program by a number.
func (p *program) attach(number int) *urpc.Bell {
	b := new(urpc.Bell)
	if !b.Attach(p.board.at(0), p.board.at(pageSize), number) {
		panic("there is no such number")
	}
	return b
}

// config returns what a program is to connect to another by, which hints by a number.
func config(frame *memory, side urpc.Side, own, peer *program, item *wait.Item, number int, polled bool) Config {
	c := Config{
		Base: frame.at(0), Size: len(frame.bytes), Side: side, Item: item,
		Bell: peer.attach(number), Ring: peer.ring, Polled: polled,
		Binding: channel.Binding{Transport: channel.TransportDoorbell},
	}
	if polled {
		c.Binding.Transport = channel.TransportPolled
	}
	return c
}
