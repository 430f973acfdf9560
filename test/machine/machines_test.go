package machine

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"skerry/abi"
	"skerry/host/exitcode"
	"skerry/test/boot"
)

const mib = 1 << 20

// hello runs the hello program on each of some cores and expects all in order.
func hello(t *testing.T, m *boot.Machine, on ...int) *boot.Outcome {
	t.Helper()
	for i, core := range on {
		m.Programs = append(m.Programs, boot.Program{Package: boot.Example(t, "hello"), Args: []string{fmt.Sprint(i)}, Core: core})
	}
	o := boot.Run(t, m)
	if o.Err != nil {
		t.Fatal(o.Err)
	}
	for i, p := range o.Outcomes {
		if p.Status.Kind != abi.ExitCode || p.Status.Code != uint64(i) {
			t.Errorf("program %d ended with %d, code %d", i, p.Status.Kind, p.Status.Code)
		}
	}
	if o.Summary == nil || len(o.Summary.Cores) != m.Cores {
		t.Fatalf("summary of %d cores: %+v", m.Cores, o.Summary)
	}
	return o
}

// image returns the bytes that an image takes, which are no core's.
func image(t *testing.T, m *boot.Machine) uint64 {
	t.Helper()
	file, _ := boot.Image(t, m)
	info, err := os.Stat(file)
	if err != nil {
		t.Fatal(err)
	}
	return uint64(info.Size())
}

// accounted checks that the cores together own nearly all RAM, and that each
// has free pages left of its own.
func accounted(t *testing.T, m *boot.Machine, o *boot.Outcome) {
	t.Helper()
	sum := uint64(0)
	for _, c := range o.Summary.Cores {
		sum += c.TotalPages * abi.PageSize
		if c.FreePages >= c.TotalPages || c.KernelPages >= c.TotalPages || c.FreePages == 0 {
			t.Errorf("core %d: %d pages, of them %d free and %d the kernel's", c.Core, c.TotalPages, c.FreePages, c.KernelPages)
		}
	}
	ram := m.Memory - image(t, m)
	if sum > ram || sum < ram/10*9 {
		t.Errorf("the cores own %d MiB of %d", sum/mib, ram/mib)
	}
}

// TestManyCores boots more cores than fit a batch of anything small.
func TestManyCores(t *testing.T) {
	for _, cores := range []int{16, 32} {
		t.Run(fmt.Sprint(cores), func(t *testing.T) {
			m := &boot.Machine{Cores: cores, Memory: uint64(cores)*48*mib + 64*mib}
			o := hello(t, m, 0, 1, cores/2, cores-1)
			accounted(t, m, o)
		})
	}
}

// TestNodes boots a machine of two nodes of different size: each core must
// know its node and have its share of that node's memory, and of no other.
func TestNodes(t *testing.T) {
	m := &boot.Machine{Cores: 4, Memory: 768 * mib, Extra: []string{
		"-object", "memory-backend-ram,id=m0,size=192M", "-object", "memory-backend-ram,id=m1,size=576M",
		"-numa", "node,nodeid=0,cpus=0-1,memdev=m0", "-numa", "node,nodeid=1,cpus=2-3,memdev=m1",
		"-numa", "dist,src=0,dst=1,val=20",
	}}
	o := hello(t, m, 0, 1, 2, 3)
	accounted(t, m, o)
	for _, c := range o.Summary.Cores {
		node, least, most := 0, uint64(40), uint64(96)
		if c.Core >= 2 {
			node, least, most = 1, 280, 288
		}
		if got := c.TotalPages * abi.PageSize / mib; c.Node != node || got < least || got > most {
			t.Errorf("core %d is on node %d and owns %d MiB; want node %d and %d to %d MiB", c.Core, c.Node, got, node, least, most)
		}
	}
}

// TestNodeWithoutMemory boots a machine whose first core's node has none.
func TestNodeWithoutMemory(t *testing.T) {
	m := &boot.Machine{Cores: 2, Memory: 256 * mib, Extra: []string{
		"-object", "memory-backend-ram,id=m0,size=256M",
		"-numa", "node,nodeid=0,cpus=0", "-numa", "node,nodeid=1,cpus=1,memdev=m0",
	}}
	accounted(t, m, hello(t, m, 0, 1))
}

// TestMemoryAbove4GiB boots a machine whose memory does not fit below the
// devices; QEMU touches only what is used.
func TestMemoryAbove4GiB(t *testing.T) {
	m := &boot.Machine{Cores: 3, Memory: 5 << 30}
	accounted(t, m, hello(t, m, 0, 1, 2))
}

// TestTooLittleMemory expects a machine that is too small to say so, and the
// session to say what to do.
func TestTooLittleMemory(t *testing.T) {
	m := &boot.Machine{Cores: 4, Memory: 96 * mib, Programs: []boot.Program{{Package: boot.Example(t, "hello")}}}
	o := boot.Run(t, m)
	var e *exitcode.Error
	if !errors.As(o.Err, &e) || e.Code != exitcode.Machine || !strings.Contains(o.Err.Error(), "too little memory") ||
		!strings.Contains(e.Fix, "--memory") {
		t.Errorf("error %v", o.Err)
	}
	if !strings.Contains(o.Console, "skerry: panic: core 0: too little memory") &&
		!strings.Contains(o.Console, "too little memory: core") {
		t.Error("the console does not say why")
	}
	if n := strings.Count(o.Console, "goroutine "); n != 0 {
		t.Errorf("the console shows %d stacks for what is no defect", n)
	}
}

// TestProcessors boots on processors that lack what the kernel can do without.
func TestProcessors(t *testing.T) {
	for _, lacks := range []string{"-rdrand", "-smap,-smep,-umip", "-avx,-avx2", "-pdpe1gb,-pcid", "-rdseed,-rdrand,-smap,-avx"} {
		t.Run(lacks, func(t *testing.T) {
			m := &boot.Machine{Cores: 2, Extra: []string{"-cpu", "max,-erms," + lacks}}
			hello(t, m, 0, 1)
		})
	}
}

// TestPoorProcessors boots on processors that lack what the kernel needs, and
// expects it to say so at once.
func TestPoorProcessors(t *testing.T) {
	for _, lacks := range []string{"-fsgsbase", "-xsave"} {
		t.Run(lacks, func(t *testing.T) {
			m := &boot.Machine{Cores: 2, Extra: []string{"-cpu", "max,-erms," + lacks}, Timeout: time.Minute}
			m.Programs = []boot.Program{{Package: boot.Example(t, "hello")}}
			o := boot.Run(t, m)
			if !strings.Contains(o.Console, "skerry: panic: core 0: the processor lacks FSGSBASE, NX or XSAVE") {
				t.Error("the console does not say what is lacking")
			}
			var e *exitcode.Error
			if !errors.As(o.Err, &e) || !strings.Contains(o.Err.Error(), "the processor lacks") {
				t.Errorf("the session ended by %v", o.Err)
			}
		})
	}
}

// TestOtherBoards boots on boards other than the one that the command starts.
func TestOtherBoards(t *testing.T) {
	for _, board := range []string{"pc", "q35,hpet=off", "q35,smm=off,sata=off"} {
		t.Run(board, func(t *testing.T) {
			hello(t, &boot.Machine{Cores: 2, Extra: []string{"-M", board}}, 0, 1)
		})
	}
}

// TestTopologies boots machines whose processors are not numbered in a row, or
// are listed though they are not there.
func TestTopologies(t *testing.T) {
	t.Run("gaps", func(t *testing.T) {
		hello(t, &boot.Machine{Cores: 6, Extra: []string{"-smp", "cpus=6,sockets=2,cores=3,threads=1"}}, 0, 3, 5)
	})
	t.Run("empty sockets", func(t *testing.T) {
		hello(t, &boot.Machine{Cores: 2, Extra: []string{"-smp", "cpus=2,maxcpus=8"}}, 0, 1)
	})
}
