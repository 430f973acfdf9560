package bind

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"skerry/lib/bind/network"
	"skerry/lib/channel"
	"skerry/lib/channel/direct"
	"skerry/lib/session"
)

var iface = channel.Interface{Name: "test", Version: 3, Fingerprint: 7}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func export(t *testing.T, name string) *Listener {
	t.Helper()
	l, err := Export(name, iface)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}

// TestDirect binds a program to itself.
func TestDirect(t *testing.T) {
	ctx := within(t)
	l := export(t, "direct")
	c, err := Dial(ctx, "direct", iface, Depth(2))
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	if b := c.Binding(); b.Transport != channel.TransportDirect || b.Why == "" || b.Name != "direct" || !b.Facts.SameDomain {
		t.Errorf("bound by %+v", b)
	}
	if err := c.Send(ctx, &channel.Message{Kind: 5, Length: 1, Payload: [56]byte{9}}); err != nil {
		t.Error(err)
	}
	var m channel.Message
	if err := s.Receive(ctx, &m); err != nil || m.Kind != 5 || m.Payload[0] != 9 {
		t.Errorf("%+v, %v", m, err)
	}
}

func TestVersions(t *testing.T) {
	export(t, "versions")
	other := iface
	other.Version = 4
	_, err := Dial(within(t), "versions", other)
	var v *VersionError
	if !errors.As(err, &v) || !errors.Is(err, ErrVersion) || v.Want != 4 || v.Have != 3 {
		t.Errorf("%v", err)
	}
	other.Version, other.Fingerprint = 3, 8
	if _, err = Dial(within(t), "versions", other); !errors.Is(err, ErrVersion) || !strings.Contains(err.Error(), "both have version 3") {
		t.Errorf("%v", err)
	}
}

// TestNames waits for a name that comes later, and watches one that goes.
func TestNames(t *testing.T) {
	ctx := within(t)
	if _, err := Find(ctx, "later"); !errors.Is(err, ErrNotFound) {
		t.Errorf("found: %v", err)
	}
	if _, err := Dial(ctx, "later", iface, NoWait()); !errors.Is(err, ErrNotFound) {
		t.Errorf("bound: %v", err)
	}
	if err := Watch(ctx, "later"); err != nil {
		t.Error(err)
	}
	found := make(chan error)
	for range 2 {
		go func() {
			info, err := Lookup(ctx, "later")
			if err == nil && info.Version != iface.Version {
				err = errors.New("another version")
			}
			found <- err
		}()
	}
	go func() {
		_, err := Dial(ctx, "later", iface)
		found <- err
	}()
	l := export(t, "later")
	for range 3 {
		if err := <-found; err != nil {
			t.Error(err)
		}
	}
	if _, err := Export("later", iface); !errors.Is(err, ErrTaken) {
		t.Errorf("exported twice: %v", err)
	}
	gone := make(chan error)
	go func() { gone <- Watch(ctx, "later") }()
	l.Close()
	if err := <-gone; err != nil {
		t.Error(err)
	}
	export(t, "later")
}

// TestCancelled has everything that waits end with its context.
func TestCancelled(t *testing.T) {
	l := export(t, "there")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, accept := l.Accept(ctx)
	_, lookup := Lookup(ctx, "nowhere")
	_, dial := Dial(ctx, "nowhere", iface)
	for what, err := range map[string]error{"accept": accept, "look up": lookup, "dial": dial, "watch": Watch(ctx, "there")} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// TestWaited has who waits in vain told what for, once.
func TestWaited(t *testing.T) {
	t.Cleanup(Add(ThroughRelay("nowhere")))
	for transport, want := range map[channel.Transport]string{
		channel.TransportAny:    `bind to "never": nobody exports it yet: context deadline exceeded`,
		channel.TransportDirect: `bind to "never": nobody exports it yet: context deadline exceeded`,
		channel.TransportHop:    `bind to "never": no relay runs, or none that finds the name: context deadline exceeded`,
	} {
		ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
		defer cancel()
		_, err := Dial(ctx, "never", iface, Via(transport))
		if !errors.Is(err, context.DeadlineExceeded) || err.Error() != want {
			t.Errorf("%v", err)
		}
	}
}

// TestBacklog refuses who comes when nobody accepts, and closes what nobody has
// accepted.
func TestBacklog(t *testing.T) {
	ctx := within(t)
	l := export(t, "busy")
	var c channel.Conn
	for range Backlog {
		var err error
		if c, err = Dial(ctx, "busy", iface); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := Dial(ctx, "busy", iface); !errors.Is(err, ErrRefused) {
		t.Errorf("bound once too often: %v", err)
	}
	l.Close()
	if err := c.Receive(ctx, new(channel.Message)); !errors.Is(err, channel.ErrPeer) {
		t.Errorf("not closed: %v", err)
	}
	if _, err := l.Accept(ctx); !errors.Is(err, channel.ErrClosed) {
		t.Errorf("accepted: %v", err)
	}
}

// TestArguments refuses what makes no sense.
func TestArguments(t *testing.T) {
	ctx := within(t)
	if _, err := Export("two words", iface); err == nil {
		t.Error("exported under two words")
	}
	if _, err := Dial(ctx, "x", iface, Depth(-1)); err == nil {
		t.Error("bound with a negative depth")
	}
	if _, err := Dial(ctx, "x", iface, Via(channel.TransportTCP)); !errors.Is(err, ErrTransport) {
		t.Errorf("bound by TCP with no such network: %v", err)
	}
	t.Setenv(TransportVariable, "pigeon")
	if _, err := Dial(ctx, "x", iface); err == nil || !strings.Contains(err.Error(), "pigeon") {
		t.Errorf("bound by pigeon: %v", err)
	}
}

// echo is a network on which the program meets itself: its name comes when it is asked.
type echo struct {
	t    *testing.T
	once sync.Once
}

func (e *echo) Carries(t channel.Transport) bool { return t == channel.TransportAny }

func (e *echo) Export(*network.Export) (io.Closer, error) { return io.NopCloser(nil), nil }

func (e *echo) Find(context.Context, string, bool) (Info, error) {
	e.once.Do(func() { export(e.t, "mirror") })
	return Info{Version: iface.Version, Fingerprint: iface.Fingerprint, Facts: channel.Facts{SameDomain: true}}, nil
}

func (e *echo) Watch(context.Context, string) error { return nil }

func (e *echo) Bind(context.Context, *network.Request) (channel.Conn, error) {
	return nil, ErrTransport
}

// TestOwnNameElsewhere finds the program's own name at another network first.
func TestOwnNameElsewhere(t *testing.T) {
	t.Cleanup(Add(&echo{t: t}))
	c, err := Dial(within(t), "mirror", iface)
	if err != nil {
		t.Fatal(err)
	}
	if b := c.Binding(); b.Transport != channel.TransportDirect {
		t.Errorf("bound by %+v", b)
	}
	c.Close()
}

// mortal is a network whose exporters die as soon as they are bound to, all but the last.
type mortal struct {
	echo
	left int
}

func (m *mortal) Find(context.Context, string, bool) (Info, error) {
	return Info{Version: iface.Version, Fingerprint: iface.Fingerprint}, nil
}

func (m *mortal) Bind(_ context.Context, r *network.Request) (channel.Conn, error) {
	if m.left--; m.left > 0 {
		return nil, session.ErrDied
	}
	c, _ := direct.New(0, channel.Binding{Name: r.Name}, direct.Capabilities{})
	return c, nil
}

// late is a network on which a name comes late.
type late struct {
	echo
	came chan struct{}
}

func (l *late) Find(ctx context.Context, _ string, wait bool) (Info, error) {
	if !wait {
		return Info{}, ErrNotFound
	}
	select {
	case <-l.came:
		return Info{Version: iface.Version, Fingerprint: iface.Fingerprint}, nil
	case <-ctx.Done():
		return Info{}, ctx.Err()
	}
}

// TestDirectElsewhere asks for a binding within the program to what another exports, and is not left
// waiting.
func TestDirectElsewhere(t *testing.T) {
	n := &late{came: make(chan struct{})}
	t.Cleanup(Add(n))
	time.AfterFunc(time.Millisecond, func() { close(n.came) })
	if _, err := Dial(within(t), "other", iface, Via(channel.TransportDirect)); !errors.Is(err, ErrTransport) {
		t.Errorf("%v", err)
	}
}

// TestDiedBefore has exporters die before they answer: their name is gone, and another may come.
func TestDiedBefore(t *testing.T) {
	n := &mortal{left: 3}
	t.Cleanup(Add(n))
	if _, err := Dial(within(t), "mortal", iface, NoWait()); !errors.Is(err, ErrNotFound) || n.left != 2 {
		t.Errorf("bound to one that has died: %v", err)
	}
	c, err := Dial(within(t), "mortal", iface)
	if err != nil {
		t.Fatal(err)
	}
	c.Close()
}
