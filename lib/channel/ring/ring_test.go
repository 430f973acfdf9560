package ring

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"skerry/abi/capability"
	"skerry/lib/channel"
	"skerry/lib/channel/conntest"
	"skerry/lib/urpc"
	"skerry/lib/wait"
)

// connect returns two ends in one process, which has a program for each.
func connect(t testing.TB, slots int, polled bool) (*Conn, *Conn) {
	t.Helper()
	frame := newMemory(t, urpc.FrameSize(slots))
	passed := new(exchange)
	ends := [2]*program{newProgram(t), newProgram(t)}
	items := [2]*wait.Item{add(t, ends[0]), add(t, ends[1])}
	var conns [2]*Conn
	for i := range ends {
		c := config(frame, urpc.Side(i), ends[i], ends[1-i], items[i], items[1-i].Number(), polled)
		c.Give, c.Take = passed.give, passed.take
		conns[i] = open(t, c)
	}
	return conns[0], conns[1]
}

func add(t testing.TB, p *program) *wait.Item {
	t.Helper()
	i, err := p.set.Add(nil)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

func open(t testing.TB, c Config) *Conn {
	t.Helper()
	end, err := New(c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { end.Close() })
	return end
}

// exchange passes capabilities, which get other references by it.
type exchange struct {
	mu     sync.Mutex
	passed []capability.Reference
	full   int // how often there is no room still; negative: for ever
}

const moved = 1000

func (e *exchange) give(_ context.Context, r capability.Reference) (uint32, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.full != 0 {
		e.full--
		return 0, channel.ErrFull
	}
	e.passed = append(e.passed, r+moved)
	return uint32(len(e.passed) - 1), nil
}

func (e *exchange) take(_ context.Context, ticket uint32) (capability.Reference, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if int(ticket) >= len(e.passed) || e.passed[ticket] == 0 {
		return 0, errors.New("there is no such ticket")
	}
	r := e.passed[ticket]
	e.passed[ticket] = 0
	return r, nil
}

// TestConn checks what any connection must do, with the smallest ring and one of
// usual size.
func TestConn(t *testing.T) {
	for _, polled := range []bool{false, true} {
		for _, slots := range []int{4, 64} {
			transport := channel.TransportDoorbell
			if polled {
				transport = channel.TransportPolled
			}
			t.Run(fmt.Sprintf("%v, %d slots", transport, slots), func(t *testing.T) {
				next := capability.Reference(0)
				conntest.Run(t, conntest.Transport{
					Transport: transport,
					Connect: func(t testing.TB) (channel.Conn, channel.Conn) {
						return connect(t, slots, polled)
					},
					Kill: func(_ testing.TB, a, _ channel.Conn) { a.(*Conn).Gone() },
					Capability: func(testing.TB, channel.Conn) capability.Reference {
						next++
						return next
					},
					Same: func(_ testing.TB, sent, received capability.Reference) bool { return received == sent+moved },
					Most: slots,
				})
			})
		}
	}
}

// TestBroken has the peer send what only this package may, and wrongly.
func TestBroken(t *testing.T) {
	for name, send := range map[string]func(*urpc.Channel){
		"a ticket of five bytes": func(c *urpc.Channel) { c.Send(kindTicket, make([]byte, 5)) },
		"two tickets in a row": func(c *urpc.Channel) {
			c.Send(kindTicket, make([]byte, ticketSize))
			c.Send(kindTicket, make([]byte, ticketSize))
		},
		"a ticket that nobody gave": func(c *urpc.Channel) {
			c.Send(kindTicket, make([]byte, ticketSize))
			c.Send(1, nil)
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := connect(t, 8, false)
			send(&b.channel)
			var m channel.Message
			for range 2 {
				if err := a.Receive(t.Context(), &m); err != channel.ErrBroken {
					t.Errorf("received %v, %v", m, err)
				}
				if _, err := a.TryReceive(&m); err != channel.ErrBroken {
					t.Error("tried to receive:", err)
				}
				if err := a.Send(t.Context(), &channel.Message{Kind: 1}); err != channel.ErrBroken {
					t.Error("sent:", err)
				}
			}
		})
	}
}

// TestTicketCancelled waits for a capability that comes later than its message, and
// gives up twice.
func TestTicketCancelled(t *testing.T) {
	a, b := connect(t, 8, false)
	there := make(chan struct{})
	b.config.Take = func(ctx context.Context, ticket uint32) (capability.Reference, error) {
		select {
		case <-there:
			return capability.Reference(ticket) + 1, nil
		default:
		}
		select {
		case <-there:
			return capability.Reference(ticket) + 1, nil
		case <-ctx.Done():
			return 0, ctx.Err()
		}
	}
	sent := channel.Message{Kind: 3, Length: 2, Capability: 5}
	if err := a.Send(t.Context(), &sent); err != nil {
		t.Fatal(err)
	}
	var m channel.Message
	if ok, err := b.TryReceive(&m); ok || err != nil {
		t.Error("tried to receive:", ok, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := b.Receive(ctx, &m); err != context.Canceled {
		t.Error("received:", err)
	}
	close(there)
	if ok, err := b.TryReceive(&m); !ok || err != nil || m.Kind != 3 || m.Length != 2 || m.Capability != 1 {
		t.Error("tried to receive:", ok, err, m)
	}
	there = make(chan struct{})
	if err := a.Send(t.Context(), &sent); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- b.Receive(t.Context(), &m) }()
	b.Close()
	if err := <-done; err != channel.ErrClosed {
		t.Error("closed while it waited for a capability:", err)
	}
}

// TestConfig refuses what cannot be a connection.
func TestConfig(t *testing.T) {
	frame, p := newMemory(t, pageSize), newProgram(t)
	good := config(frame, urpc.A, p, p, add(t, p), 0, false)
	for name, change := range map[string]func(*Config){
		"too small":  func(c *Config) { c.Size = urpc.MinFrame - 1 },
		"no item":    func(c *Config) { c.Item = nil },
		"no bell":    func(c *Config) { c.Bell = nil },
		"no ringing": func(c *Config) { c.Ring = nil },
	} {
		c := good
		change(&c)
		if _, err := New(c); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
}

// BenchmarkRoundTrip sends a message to another process and gets it back.
func BenchmarkRoundTrip(b *testing.B) {
	for _, as := range []string{"doorbell", "polled"} {
		b.Run(as, func(b *testing.B) {
			c, _ := spawn(b, newProgram(b), as)
			m := channel.Message{Kind: 1, Length: 8}
			for b.Loop() {
				if err := c.Send(b.Context(), &m); err != nil {
					b.Fatal(err)
				}
				if err := c.Receive(b.Context(), &m); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestCrowded has no room for a capability at the peer for a while: Send waits, TrySend says
// so, and nothing is sent or lost.
func TestCrowded(t *testing.T) {
	a, b := connect(t, 8, false)
	x := new(exchange)
	a.config.Give, b.config.Take = x.give, x.take
	set := func(full int) {
		x.mu.Lock()
		defer x.mu.Unlock()
		x.full = full
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	set(-1)
	if err := a.TrySend(&channel.Message{Kind: 1, Capability: 7}); err != channel.ErrFull {
		t.Errorf("tried: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 5*time.Millisecond)
	defer cancel()
	if err := a.Send(short, &channel.Message{Kind: 2, Capability: 7}); err != context.DeadlineExceeded {
		t.Errorf("sent: %v", err)
	}
	if err := a.Send(ctx, &channel.Message{Kind: 3}); err != nil { // without one there is room
		t.Error(err)
	}
	set(3)
	if err := a.Send(ctx, &channel.Message{Kind: 4, Capability: 7}); err != nil {
		t.Error(err)
	}
	var m channel.Message
	for _, want := range []channel.Message{{Kind: 3}, {Kind: 4, Capability: 7 + moved}} {
		if err := b.Receive(ctx, &m); err != nil || m.Kind != want.Kind || m.Capability != want.Capability {
			t.Errorf("received %+v, %v", m, err)
		}
	}
}

// TestCrowdedEnds has the connection end while its peer has no room for a capability: who
// waits is told why.
func TestCrowdedEnds(t *testing.T) {
	for _, c := range []struct {
		end  func(*Conn)
		want error
	}{
		{func(c *Conn) { c.Close() }, channel.ErrClosed},
		{func(c *Conn) { c.Gone() }, channel.ErrPeer},
	} {
		a, _ := connect(t, 8, false)
		asked := make(chan struct{}, 1)
		a.config.Give = func(context.Context, capability.Reference) (uint32, error) {
			select {
			case asked <- struct{}{}:
			default:
			}
			return 0, channel.ErrFull
		}
		done := make(chan error, 1)
		go func() { done <- a.Send(t.Context(), &channel.Message{Kind: 5, Capability: 7}) }()
		for range 6 {
			<-asked // now it waits longer
		}
		c.end(a)
		if err := <-done; err != c.want {
			t.Errorf("sent on what is over: %v, want %v", err, c.want)
		}
	}
}
