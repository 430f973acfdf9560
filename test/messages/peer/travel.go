package main

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"sync"
	"time"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/lib/bind"
	"skerry/lib/channel"
	"skerry/lib/native"
	"skerry/lib/native/slots"
	"skerry/lib/session"
)

// chain is a program that hands on what it is given to the next one, if there is one, and
// keeps it.
type chain struct {
	mu   sync.Mutex
	next channel.Conn
	kept []capability.Reference
}

// forward exports a name, and hands on what comes to the name that is its third argument,
// until n have come and gone.
func forward(ctx context.Context, name string, n int) error {
	var c chain
	if len(os.Args) > 4 {
		if err := c.bind(ctx); err != nil {
			return err
		}
		defer func() { c.next.Close() }()
	}
	return serveBy(ctx, name, n, c.answer)
}

// bind binds to the next program.
func (c *chain) bind(ctx context.Context) error {
	next, err := bind.Dial(ctx, os.Args[4], speech)
	if err == nil {
		c.next = next
	}
	return err
}

// answer answers one that has bound.
func (c *chain) answer(ctx context.Context, conn channel.Conn) error {
	var m channel.Message
	for {
		err := conn.Receive(ctx, &m)
		if err == nil {
			if err = c.handle(ctx, &m); err != nil {
				return err
			}
			m.Capability = 0
			err = conn.Send(ctx, &m)
		}
		if errors.Is(err, channel.ErrPeer) || errors.Is(err, channel.ErrBroken) {
			return nil
		} else if err != nil {
			return err
		}
	}
}

// handle makes the answer to a message of it.
func (c *chain) handle(ctx context.Context, m *channel.Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch m.Kind {
	case kindFrame:
		err := inFrame(m.Capability, func(word *uint64) { *word++ })
		if errors.Is(err, bind.ErrWithdrawn) {
			m.Kind = kindLost
			return slots.Drop(m.Capability)
		}
		if err != nil {
			return err
		}
	case kindDone:
		// How many frames there still are, here and further on.
		return c.count(ctx, m)
	}
	if m.Capability != 0 {
		c.kept = append(c.kept, m.Capability)
	}
	if c.next == nil {
		return nil
	}
	// What is withdrawn meanwhile cannot be given on: that is said by the kind.
	err := c.next.Send(ctx, m)
	if err == nil {
		err = c.next.Receive(ctx, m)
	}
	switch {
	case withdrawn(err):
		m.Kind = kindLost
		return nil
	case errors.Is(err, channel.ErrPeer):
		return c.again(ctx, m)
	}
	return err
}

// again binds to the next one anew, which has died and is to come again.
func (c *chain) again(ctx context.Context, m *channel.Message) error {
	m.Kind = kindLost
	if err := c.next.Close(); err != nil {
		return err
	}
	return c.bind(ctx)
}

// withdrawn reports whether an error says that a capability is not there any more.
func withdrawn(err error) bool {
	return errors.Is(err, bind.ErrWithdrawn) || errors.Is(err, session.ErrCapability) || errors.Is(err, capability.ErrEmpty)
}

func (c *chain) count(ctx context.Context, m *channel.Message) error {
	there := uint64(0)
	for _, r := range c.kept {
		if _, err := native.Identify(r); err == nil {
			there++
		}
	}
	if c.next != nil {
		ask := channel.Message{Kind: kindDone, Length: 8}
		if err := c.next.Send(ctx, &ask); err != nil {
			return err
		}
		if err := c.next.Receive(ctx, &ask); err != nil {
			return err
		}
		there += binary.LittleEndian.Uint64(ask.Payload[:])
	}
	m.Length = 8
	binary.LittleEndian.PutUint64(m.Payload[:], there)
	return nil
}

// ask asks a chain how many frames it has.
func ask(ctx context.Context, c channel.Conn) (uint64, error) {
	m := channel.Message{Kind: kindDone, Length: 8}
	if err := c.Send(ctx, &m); err != nil {
		return 0, err
	}
	err := c.Receive(ctx, &m)
	return binary.LittleEndian.Uint64(m.Payload[:]), err
}

// revoke gives n frames to a chain, whose length is its third argument, and revokes them
// when all have them.
func revoke(ctx context.Context, name string, n int) error {
	programs, err := strconv.Atoi(os.Args[4])
	if err != nil {
		return err
	}
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	var all []memory
	for i := range n {
		f, err := newMemory()
		if err != nil {
			return err
		}
		all = append(all, f)
		m := channel.Message{Kind: kindFrame, Capability: f.frame}
		if err := c.Send(ctx, &m); err != nil {
			return fmt.Errorf("send frame %d: %w", i, err)
		}
		if err := c.Receive(ctx, &m); err != nil {
			return err
		}
		var word uint64
		if err := inFrame(f.frame, func(w *uint64) { word = *w }); err != nil {
			return err
		}
		if want := uint64(programs); word != want {
			return fmt.Errorf("%d programs have written into frame %d, not %d", word, i, want)
		}
	}
	before, err := ask(ctx, c)
	if err != nil {
		return err
	}
	for _, f := range all {
		if err := errors.Join(f.revoke(ctx), f.free()); err != nil {
			return err
		}
	}
	after, err := ask(ctx, c)
	fmt.Printf("%d copies before, %d after\n", before, after)
	return err
}

// race gives n frames to a chain, and revokes each while it is on its way.
func race(ctx context.Context, name string, n int) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	lost := 0
	for i := range n {
		f, err := newMemory()
		if err != nil {
			return err
		}
		sent := make(chan error, 1)
		var m channel.Message
		go func() {
			m = channel.Message{Kind: kindBlind, Capability: f.frame}
			err := c.Send(ctx, &m)
			if err == nil {
				err = c.Receive(ctx, &m)
			} else if withdrawn(err) {
				m.Kind, err = kindLost, nil
			}
			sent <- err
		}()
		// Whenever: later with each frame, and then anew.
		for range i % 40 {
			time.Sleep(100 * time.Microsecond)
		}
		if err := f.revoke(ctx); err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
		if err := <-sent; err != nil {
			return fmt.Errorf("send frame %d: %w", i, err)
		}
		if err := f.free(); err != nil {
			return err
		}
		if m.Kind == kindLost {
			lost++
		}
	}
	left, err := ask(ctx, c)
	if err != nil {
		return err
	}
	fmt.Printf("%d copies left of %d frames\n", left, n)
	fmt.Fprintf(os.Stderr, "%d were revoked before they had come\n", lost)
	return nil
}

// back gives n frames to a chain at whose end is a name of its own, and checks what comes
// back: the same frames, with no more rights than it gave.
func back(ctx context.Context, name string, n int) error {
	l, err := bind.Export(name, speech)
	if err != nil {
		return err
	}
	defer l.Close()
	const rights = capability.RightRead | capability.RightGrant
	came := make(chan error, 1)
	go func() {
		c, err := l.Accept(ctx)
		if err != nil {
			came <- err
			return
		}
		defer c.Close()
		var m channel.Message
		for range n {
			if err = c.Receive(ctx, &m); err != nil {
				break
			}
			d, failed := native.Identify(m.Capability)
			if failed != nil || d.Type != capability.Frame || d.Owner != 0 || d.Rights != rights {
				err = fmt.Errorf("it came back as %+v: %w", d, failed)
				break
			}
			m.Capability = 0
			if err = c.Send(ctx, &m); err != nil {
				break
			}
		}
		came <- err
		<-ctx.Done() // the other ends it
	}()
	c, err := bind.Dial(ctx, os.Args[4], speech)
	if err != nil {
		return err
	}
	defer c.Close()
	for range n {
		f, err := newMemory()
		if err != nil {
			return err
		}
		narrow, err := slots.Mint(f.frame, rights)
		if err != nil {
			return err
		}
		m := channel.Message{Kind: kindBlind, Capability: narrow}
		if err := c.Send(ctx, &m); err != nil {
			return err
		}
		if err := c.Receive(ctx, &m); err != nil {
			return err
		}
		if m.Kind != kindBlind {
			return fmt.Errorf("a frame was lost")
		}
		if err := errors.Join(f.revoke(ctx), slots.Drop(narrow), f.free()); err != nil {
			return err
		}
	}
	err = <-came
	fmt.Printf("%d frames came back\n", n)
	return err
}

// sprays gives frames, and binds anew when the receiver has died, until an heir tells it that no
// other comes.
func sprays(ctx context.Context, name string, _ int) error {
	for died := 0; ; died++ {
		err := pour(ctx, name, nil)
		if errors.Is(err, errOver) {
			fmt.Printf("%d receivers of %s have died\n", died, name)
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// errOver says that no receiver comes any more.
var errOver = errors.New("it is over")

// heir waits for the end of its input, then exports a name that others have had. It tells
// the one who binds to it, and gives it something, that it is over.
func heir(ctx context.Context, name string, _ int) error {
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		return err
	}
	c, leave, err := accept(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	var m channel.Message
	if err := c.Receive(ctx, &m); err != nil {
		return err
	}
	if err := errors.Join(inFrame(m.Capability, func(word *uint64) { *word++ }), slots.Drop(m.Capability)); err != nil {
		return err
	}
	if err := c.Send(ctx, &channel.Message{Kind: kindOver}); err != nil {
		return err
	}
	if err := c.Receive(ctx, &m); !errors.Is(err, channel.ErrPeer) {
		return fmt.Errorf("told that it is over, the giver goes on: %w", err)
	}
	return nil
}

// memory is a page of RAM and the frame made of it.
type memory struct{ ram, frame capability.Reference }

func newMemory() (m memory, err error) {
	if m.ram, err = native.Slot(); err != nil {
		return m, err
	}
	if err = native.RAM(abi.PageSize, m.ram); err != nil {
		return m, err
	}
	if m.frame, err = native.Slot(); err != nil {
		return m, err
	}
	if err := patiently(func() error {
		return slots.Home(m.frame).Retype(m.frame.Slot(), 1, m.ram, capability.Frame, 0, abi.PageSize)
	}); err != nil && !errors.Is(err, capability.ErrOccupied) {
		return m, fmt.Errorf("retype: %w", err)
	}
	return m, patiently(func() error { return inFrame(m.frame, func(w *uint64) { *w = 0 }) })
}

// revoke takes a page back from all who have it.
func (m memory) revoke(ctx context.Context) error {
	for {
		if err := bind.Withdraw(ctx, m.ram); err != nil {
			return fmt.Errorf("withdraw: %w", err)
		}
		// Everything made of the RAM goes, frames that others hold too.
		err := patiently(func() error { return slots.Home(m.ram).Revoke(m.ram.Slot()) })
		if err == nil {
			return nil
		}
		if !errors.Is(err, capability.ErrRemote) { // it was given once more in between
			return fmt.Errorf("revoke: %w", err)
		}
	}
}

// free gives up a page that has been revoked.
func (m memory) free() error { return errors.Join(native.FreeSlot(m.frame), native.GiveRAM(m.ram)) }

// stuffed exports a name, and has its exchange full until it is told by a message; then it
// answers like serve.
func stuffed(ctx context.Context, name string, n int) error {
	page, err := newMemory()
	if err != nil {
		return err
	}
	c, leave, err := accept(ctx, name)
	if err != nil {
		return err
	}
	defer leave()
	var full []capability.Reference
	for slot := uint32(capability.ExchangeIn); slot < capability.L2Slots; slot++ {
		r := capability.Exchange(slot)
		switch err := slots.Home(r).Copy(r.Slot(), page.frame); {
		case err == nil:
			full = append(full, r)
		case !errors.Is(err, capability.ErrOccupied):
			return err
		}
	}
	if err := c.Send(ctx, number(1)); err != nil { // it is full now
		return err
	}
	if err := c.Receive(ctx, new(channel.Message)); err != nil {
		return err
	}
	for _, r := range full {
		if err := slots.Empty(r); err != nil {
			return err
		}
	}
	return answer(ctx, c)
}

// patient gives frames to one whose exchange is full, in vain, and then n of them.
func patient(ctx context.Context, name string, n int) error {
	c, err := bind.Dial(ctx, name, speech)
	if err != nil {
		return err
	}
	defer c.Close()
	var m channel.Message
	if err := c.Receive(ctx, &m); err != nil {
		return err
	}
	page, err := newMemory()
	if err != nil {
		return err
	}
	gift := channel.Message{Kind: kindFrame, Capability: page.frame}
	for range 100 {
		if err := c.TrySend(&gift); err != channel.ErrFull {
			return fmt.Errorf("there was room for a frame: %w", err)
		}
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if err := c.Send(short, &gift); !errors.Is(err, context.DeadlineExceeded) {
		return fmt.Errorf("there was room for a frame: %w", err)
	}
	if err := c.Send(ctx, number(2)); err != nil { // it may be emptied
		return err
	}
	sent := make(chan error, 1)
	go func() {
		for range n {
			if err := c.Send(ctx, &gift); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i := range n {
		if err := c.Receive(ctx, &m); err != nil {
			return fmt.Errorf("answer %d: %w", i, err)
		}
	}
	if err := <-sent; err != nil {
		return err
	}
	var word uint64
	if err := inFrame(page.frame, func(w *uint64) { word = *w }); err != nil {
		return err
	}
	fmt.Printf("%d of %d frames came\n", word, n)
	return errors.Join(page.revoke(ctx), page.free())
}
