package tcp_test

import (
	"context"
	"encoding/binary"
	"errors"
	"net"
	"os"
	"os/exec"
	"testing"
	"time"

	"skerry/lib/bind"
	"skerry/lib/channel"
	"skerry/lib/channel/conntest"
	"skerry/lib/channel/tcp"
)

var iface = channel.Interface{Name: "echo", Version: 2, Fingerprint: 99}

// child is the variable by which the test's binary, started again, is told to be the
// other program, and where to listen.
const child = "SKERRY_TCP_CHILD"

func TestMain(m *testing.M) {
	if os.Getenv(child) != "" {
		if err := serve(); err != nil {
			println(err.Error())
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// call is what a program does that binds by whatever there is: it knows no network.
func call(ctx context.Context, name string, messages int) (channel.Binding, error) {
	c, err := bind.Dial(ctx, name, iface)
	if err != nil {
		return channel.Binding{}, err
	}
	defer c.Close()
	sent := make(chan error, 1)
	go func() {
		m := channel.Message{Kind: 1, Length: 8}
		for i := range messages {
			binary.LittleEndian.PutUint64(m.Payload[:], uint64(i))
			if err := c.Send(ctx, &m); err != nil {
				sent <- err
				return
			}
		}
		sent <- nil
	}()
	for i := range messages {
		var m channel.Message
		if err := c.Receive(ctx, &m); err != nil {
			return c.Binding(), err
		}
		if m.Kind != 2 || m.Length != 8 || binary.LittleEndian.Uint64(m.Payload[:]) != uint64(i) {
			return c.Binding(), errors.New("another answer")
		}
	}
	return c.Binding(), <-sent
}

// answer is what a program does that is bound to by whatever there is.
func answer(ctx context.Context, name string, bound int) error {
	l, err := bind.Export(name, iface)
	if err != nil {
		return err
	}
	defer l.Close()
	for range bound {
		c, err := l.Accept(ctx)
		if err != nil {
			return err
		}
		var m channel.Message
		for {
			if err := c.Receive(ctx, &m); errors.Is(err, channel.ErrPeer) {
				break
			} else if err != nil {
				return err
			}
			m.Kind = 2
			if err := c.Send(ctx, &m); err != nil {
				return err
			}
		}
		if err := c.Close(); err != nil {
			return err
		}
	}
	return nil
}

// serve is the other program: it exports after it was asked for.
func serve() error {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	bind.Add(tcp.New(l))
	os.Stdout.WriteString(l.Addr().String() + "\n")
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	if err := answer(ctx, "remote", 1); err != nil {
		return err
	}
	var b [1]byte
	os.Stdin.Read(b[:]) // until the test is through
	return nil
}

// TestCallers has the same code bind to what is in its own program and, when a network
// has been added, to what is in another one.
func TestCallers(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	served := make(chan error, 1)
	go func() { served <- answer(ctx, "local", 1) }()
	b, err := call(ctx, "local", 1000)
	if err != nil || b.Transport != channel.TransportDirect {
		t.Errorf("in one program: %+v, %v", b, err)
	}
	if err := <-served; err != nil {
		t.Error(err)
	}

	other := exec.CommandContext(ctx, os.Args[0])
	other.Env = append(os.Environ(), child+"=1")
	other.Stderr = os.Stderr
	input, err := other.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := other.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := other.Start(); err != nil {
		t.Fatal(err)
	}
	address := make([]byte, 64)
	n, err := output.Read(address)
	if err != nil {
		t.Fatal(err)
	}
	defer bind.Add(tcp.New(nil, string(address[:n-1])))()
	b, err = call(ctx, "remote", 10_000)
	if err != nil || b.Transport != channel.TransportTCP || b.Why == "" {
		t.Errorf("to another program: %+v, %v", b, err)
	}
	// Its exporter has closed the listener when all was answered.
	if err := bind.Watch(ctx, "remote"); err != nil {
		t.Error(err)
	}
	input.Close()
	if err := other.Wait(); err != nil {
		t.Error(err)
	}
}

// pair connects to a name of the program's own over its own listener.
func pair(t testing.TB, n *tcp.Network, name string) (*bind.Listener, channel.Conn, channel.Conn) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	defer bind.Add(n)()
	l, err := bind.Export(name, iface)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	c, err := bind.Dial(ctx, name, iface, bind.Via(channel.TransportTCP))
	if err != nil {
		t.Fatal(err)
	}
	s, err := l.Accept(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return l, c, s
}

func loopback(t testing.TB) *tcp.Network {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return tcp.New(l, l.Addr().String())
}

// TestConn holds the transport to what all of them promise.
func TestConn(t *testing.T) {
	n := loopback(t)
	conntest.Run(t, conntest.Transport{
		Transport: channel.TransportTCP,
		Connect: func(t testing.TB) (channel.Conn, channel.Conn) {
			l, c, s := pair(t, n, "conn")
			l.Close()
			return c, s
		},
		Kill:      func(_ testing.TB, _, b channel.Conn) { b.Close() },
		Allocates: true,
	})
}

// TestRefused checks what a peer refuses, and how that is told.
func TestRefused(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	n := loopback(t)
	_, c, _ := pair(t, n, "refused")
	defer bind.Add(n)()
	if err := c.Send(ctx, &channel.Message{Kind: 1, Capability: 257}); !errors.Is(err, channel.ErrNoCapability) {
		t.Errorf("a capability: %v", err)
	}
	other := iface
	other.Version = 5
	_, err := bind.Dial(ctx, "refused", other, bind.Via(channel.TransportTCP))
	var v *bind.VersionError
	if !errors.As(err, &v) || v.Have != 2 || v.Want != 5 {
		t.Errorf("another version: %v", err)
	}
	if _, err := bind.Dial(ctx, "nobody", iface, bind.Via(channel.TransportTCP), bind.NoWait()); !errors.Is(err, bind.ErrNotFound) {
		t.Errorf("a name that is not there: %v", err)
	}
}

// TestGarbage has whoever connects and talks nonsense harm only its own connection.
func TestGarbage(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	_, c, s := pair(t, tcp.New(l, l.Addr().String()), "garbage")
	for _, text := range []string{"", "\x00", "\x01", "\x02\x38" + string(make([]byte, 56)), "GET / HTTP/1.1\r\n\r\n"} {
		g, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		g.Write([]byte(text))
		g.(*net.TCPConn).CloseWrite()
		g.SetReadDeadline(time.Now().Add(5 * time.Second))
		var b [1]byte
		if n, err := g.Read(b[:]); n != 0 || errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("%q: answered by %d bytes, %v", text, n, err)
		}
		g.Close()
	}
	if err := c.Send(ctx, &channel.Message{Kind: 7}); err != nil {
		t.Error(err)
	}
	var m channel.Message
	if err := s.Receive(ctx, &m); err != nil || m.Kind != 7 {
		t.Errorf("%+v, %v", m, err)
	}
}
