package stub_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"skerry/interface/echo"
	"skerry/interface/store"
	"skerry/lib/capability"
	"skerry/lib/channel"
	"skerry/lib/channel/direct"
	"skerry/lib/stub"

	abi "skerry/abi/capability"
)

// patience is how long a test waits for what should come soon.
const patience = 30 * time.Second

// pair returns two ends with room for so many messages, over which capabilities go as
// they are.
func pair(depth int) (channel.Conn, channel.Conn) {
	return direct.New(depth, channel.Binding{Transport: channel.TransportDirect}, direct.Capabilities{
		Copy: func(c abi.Reference) (abi.Reference, error) {
			if c == unsendable {
				return 0, errUnsendable
			}
			return c, nil
		},
	})
}

const unsendable = abi.Reference(0x666)

var errUnsendable = errors.New("it cannot be sent")

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// serve runs a server until its end, and checks at the end of the test how it ended.
func serve(t testing.TB, run func(context.Context) error) {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- run(ctx) }()
	t.Cleanup(func() {
		select {
		case err := <-done:
			if err != nil {
				t.Errorf("the server ended: %v", err)
			}
		case <-time.After(patience):
			cancel()
			t.Errorf("the server has not ended")
		}
		cancel()
	})
}

func startEcho(t testing.TB, depth int, impl echo.Echo, options ...stub.Option) *echo.Client {
	a, b := pair(depth)
	serve(t, func(ctx context.Context) error { return echo.Serve(ctx, b, impl, options...) })
	client := echo.NewClient(a)
	t.Cleanup(func() { client.Close() })
	return client
}

func startStore(t testing.TB, depth int, impl store.Store, options ...stub.Option) *store.Client {
	a, b := pair(depth)
	serve(t, func(ctx context.Context) error { return store.Serve(ctx, b, impl, options...) })
	client := store.NewClient(a)
	t.Cleanup(func() { client.Close() })
	return client
}

// parrot is an Echo.
type parrot struct {
	notes chan uint64
	empty func(context.Context) error
}

func (p *parrot) Empty(ctx context.Context) error {
	if p.empty != nil {
		return p.empty(ctx)
	}
	return nil
}
func (p *parrot) Word(_ context.Context, w uint64) (uint64, error)        { return w, nil }
func (p *parrot) Words(_ context.Context, w [8]uint64) ([8]uint64, error) { return w, nil }
func (p *parrot) Blob(_ context.Context, b []byte) ([]byte, error)        { return b, nil }
func (p *parrot) Frame(_ context.Context, f capability.Frame) (capability.Frame, error) {
	return f, nil
}
func (p *parrot) Note(_ context.Context, w uint64) error {
	p.notes <- w
	return nil
}

// shelf is a Store.
type shelf struct {
	mu    sync.Mutex
	items map[store.Key][]byte
	room  int
	// scan, if set, is told what Keys yields, and nil when it ends.
	scan func(any)
}

func newShelf(room int) *shelf { return &shelf{items: map[store.Key][]byte{}, room: room} }

func (s *shelf) Get(_ context.Context, key store.Key) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	v, ok := s.items[key]
	if !ok {
		return nil, store.ErrNotFound
	}
	return v, nil
}

func (s *shelf) Put(_ context.Context, item store.Item) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.items[item.Key]; !ok && len(s.items) == s.room {
		return fmt.Errorf("no room for %q: %w", item.Key, store.ErrFull)
	}
	s.items[item.Key] = item.Value
	return nil
}

func (s *shelf) Delete(_ context.Context, key store.Key) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.items[key]; !ok {
		return store.ErrNotFound
	}
	delete(s.items, key)
	return nil
}

func (s *shelf) Keys(ctx context.Context, prefix store.Key) (iter.Seq2[store.Key, error], error) {
	if prefix == "refuse" {
		return nil, errors.New("refused")
	}
	s.mu.Lock()
	keys := slices.Sorted(maps.Keys(s.items))
	s.mu.Unlock()
	return func(yield func(store.Key, error) bool) {
		if s.scan != nil {
			defer s.scan(nil)
		}
		for _, k := range keys {
			if !strings.HasPrefix(string(k), string(prefix)) {
				continue
			}
			if s.scan != nil {
				s.scan(k)
			}
			if !yield(k, nil) {
				return
			}
		}
		if prefix == "k" && s.room == 1000 {
			yield("", store.ErrFull)
		}
	}, nil
}

func (s *shelf) Load(ctx context.Context, items iter.Seq2[store.Item, error]) (n int, err error) {
	for item, err := range items {
		if err != nil {
			return n, err
		}
		if err := s.Put(ctx, item); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

var modes = map[string][]stub.Option{"goroutines": nil, "inline": {stub.Inline}}

// each runs a test in all modes and over short and long rings.
func each(t *testing.T, test func(t *testing.T, depth int, options []stub.Option)) {
	for mode, options := range modes {
		for _, depth := range []int{1, 2, 64} {
			t.Run(fmt.Sprintf("%s/%d", mode, depth), func(t *testing.T) { test(t, depth, options) })
		}
	}
}

func TestCalls(t *testing.T) {
	each(t, func(t *testing.T, depth int, options []stub.Option) {
		ctx := within(t)
		p := &parrot{notes: make(chan uint64, 1)}
		c := startEcho(t, depth, p, options...)
		if err := c.Empty(ctx); err != nil {
			t.Error(err)
		}
		if w, err := c.Word(ctx, 42); w != 42 || err != nil {
			t.Error(w, err)
		}
		words := [8]uint64{1, 2, 3, 4, 5, 6, 7, 8}
		if w, err := c.Words(ctx, words); w != words || err != nil {
			t.Error(w, err)
		}
		for _, n := range []int{0, 1, 45, 46, 47, 50, 51, 98, 99, 100, 4095, 4096} {
			b := make([]byte, n)
			for i := range b {
				b[i] = byte(i*7 + n)
			}
			if got, err := c.Blob(ctx, b); !slices.Equal(got, b) || err != nil {
				t.Errorf("%d bytes came back as %d: %v", n, len(got), err)
			}
		}
		for _, f := range []capability.Frame{0, 0x12345} {
			if got, err := c.Frame(ctx, f); got != f || err != nil {
				t.Error(f, got, err)
			}
		}
		if err := c.Note(ctx, 7); err != nil {
			t.Error(err)
		}
		select {
		case w := <-p.notes:
			if w != 7 {
				t.Errorf("note %d", w)
			}
		case <-ctx.Done():
			t.Error("the note has not come")
		}
	})
}

func TestBounds(t *testing.T) {
	ctx := within(t)
	c := startEcho(t, 4, &parrot{})
	_, err := c.Blob(ctx, make([]byte, 4097))
	var bound *stub.BoundError
	if !errors.As(err, &bound) || *bound != (stub.BoundError{What: "data", Length: 4097, Max: 4096}) {
		t.Errorf("%v", err)
	}
	s := startStore(t, 4, overfull{newShelf(1)})
	_, err = s.Get(ctx, "key")
	var remote *stub.RemoteError
	if !errors.As(err, &remote) || remote.Text != "value has length 5000, its declared bound is 4096" {
		t.Errorf("%v", err)
	}
	if err := s.Put(ctx, store.Item{Key: "key"}); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// overfull is a Store that keeps its bounds badly.
type overfull struct{ *shelf }

func (overfull) Get(context.Context, store.Key) ([]byte, error) { return make([]byte, 5000), nil }

func TestErrors(t *testing.T) {
	each(t, func(t *testing.T, depth int, options []stub.Option) {
		ctx := within(t)
		c := startStore(t, depth, newShelf(1), options...)
		if _, err := c.Get(ctx, "a"); !errors.Is(err, store.ErrNotFound) || err.Error() != "Store.Get: "+store.ErrNotFound.Error() {
			t.Errorf("%v", err)
		}
		if err := c.Put(ctx, store.Item{Key: "a", Value: []byte("one")}); err != nil {
			t.Error(err)
		}
		err := c.Put(ctx, store.Item{Key: "b"})
		var remote *stub.RemoteError
		if !errors.Is(err, store.ErrFull) || !errors.As(err, &remote) || !strings.Contains(err.Error(), `no room for "b"`) {
			t.Errorf("%v", err)
		}
		if _, err := c.Keys(ctx, "refuse"); !errors.As(err, &remote) || remote.Text != "refused" || remote.Err != nil {
			t.Errorf("%v", err)
		}
		if v, err := c.Get(ctx, "a"); string(v) != "one" || err != nil {
			t.Errorf("%q, %v", v, err)
		}
		long := startEcho(t, depth, &parrot{empty: func(context.Context) error { return errors.New(strings.Repeat("ü", 400)) }}, options...)
		if err := long.Empty(ctx); !errors.As(err, &remote) || remote.Text != strings.Repeat("ü", stub.MaxText/2) {
			t.Errorf("%v", err)
		}
	})
}

func TestUnsendable(t *testing.T) {
	ctx := within(t)
	c := startEcho(t, 4, &parrot{})
	if _, err := c.Frame(ctx, capability.Frame(unsendable)); !errors.Is(err, errUnsendable) {
		t.Errorf("%v", err)
	}
	if f, err := c.Frame(ctx, 5); f != 5 || err != nil {
		t.Errorf("after that: %v, %v", f, err)
	}
}

// TestMany has many goroutines call over one connection, each getting its own answers.
func TestMany(t *testing.T) {
	each(t, func(t *testing.T, depth int, options []stub.Option) {
		ctx := within(t)
		c := startEcho(t, depth, &parrot{}, options...)
		var callers sync.WaitGroup
		for g := range 300 { // more than can be under way
			callers.Go(func() {
				for n := range 20 {
					w := uint64(g)<<32 | uint64(n)
					if got, err := c.Word(ctx, w); got != w || err != nil {
						t.Errorf("%#x came back as %#x: %v", w, got, err)
						return
					}
					b := []byte(strings.Repeat(fmt.Sprint(w, " "), 30))
					if got, err := c.Blob(ctx, b); !slices.Equal(got, b) || err != nil {
						t.Errorf("%q came back as %q: %v", b, got, err)
						return
					}
				}
			})
		}
		callers.Wait()
	})
}

func TestStreams(t *testing.T) {
	each(t, func(t *testing.T, depth int, options []stub.Option) {
		ctx := within(t)
		s := newShelf(500)
		c := startStore(t, depth, s, options...)
		const items = 300
		n, err := c.Load(ctx, func(yield func(store.Item, error) bool) {
			for i := range items {
				if !yield(store.Item{Key: store.Key(fmt.Sprintf("k%03d", i)), Value: make([]byte, i)}, nil) {
					t.Error("nobody wants item", i)
					return
				}
			}
		})
		if n != items || err != nil || len(s.items) != items || len(s.items["k299"]) != 299 {
			t.Fatalf("%d items loaded, %d are there: %v", n, len(s.items), err)
		}
		keys, err := c.Keys(ctx, "k")
		if err != nil {
			t.Fatal(err)
		}
		count := 0
		for k, err := range keys {
			if want := store.Key(fmt.Sprintf("k%03d", count)); k != want || err != nil {
				t.Fatalf("%q rather than %q, %v", k, want, err)
			}
			if count++; count%50 == 0 {
				// Calls go on beside it.
				if v, err := c.Get(ctx, k); err != nil || len(v) != count-1 {
					t.Fatal(len(v), err)
				}
			}
		}
		if count != items {
			t.Errorf("%d keys", count)
		}
		for _, err := range keys {
			if err == nil {
				t.Error("the keys come twice")
			}
		}
	})
}

// TestEarlyStop has either side end a stream early.
func TestEarlyStop(t *testing.T) {
	each(t, func(t *testing.T, depth int, options []stub.Option) {
		ctx := within(t)
		s := newShelf(100)
		for i := range 100 {
			s.items[store.Key(fmt.Sprintf("k%03d", i))] = nil
		}
		scanned := make(chan any, 200)
		s.scan = func(k any) { scanned <- k }
		c := startStore(t, depth, s, options...)
		keys, err := c.Keys(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		n := 0
		for range keys {
			if n++; n == 5 {
				break
			}
		}
		for last := any(""); last != nil; {
			select {
			case last = <-scanned:
			case <-ctx.Done():
				t.Fatal("the producer goes on")
			}
		}
		// The server takes no more than fit.
		given, told := 0, false
		_, err = c.Load(ctx, func(yield func(store.Item, error) bool) {
			for i := range 10000 {
				given++
				if !yield(store.Item{Key: store.Key(fmt.Sprintf("x%d", i))}, nil) {
					told = true
					return
				}
			}
		})
		if !errors.Is(err, store.ErrFull) || !told || given > 2*stub.Window {
			t.Errorf("%d items given, %v, %v", given, told, err)
		}
		// The client's sequence fails.
		if _, err = c.Load(ctx, func(yield func(store.Item, error) bool) {
			yield(store.Item{}, store.ErrNotFound)
		}); !errors.Is(err, store.ErrNotFound) {
			t.Errorf("%v", err)
		}
		if _, err = c.Load(ctx, func(yield func(store.Item, error) bool) {
			yield(store.Item{}, errors.New("out of items"))
		}); err == nil || err.Error() != "Store.Load: out of items" {
			t.Errorf("%v", err)
		}
		if _, err := c.Get(ctx, "k001"); err != nil {
			t.Errorf("after that: %v", err)
		}
	})
}

// TestStreamError has the producer of a stream fail after some items.
func TestStreamError(t *testing.T) {
	s := newShelf(1000)
	for i := range 50 {
		s.items[store.Key(fmt.Sprintf("k%03d", i))] = nil
	}
	c := startStore(t, 4, s)
	keys, err := c.Keys(within(t), "k")
	if err != nil {
		t.Fatal(err)
	}
	n, last := 0, error(nil)
	for _, err := range keys {
		if err != nil {
			last = err
			continue
		}
		n++
	}
	if n != 50 || !errors.Is(last, store.ErrFull) {
		t.Errorf("%d keys, %v", n, last)
	}
}

// TestAbandonedStream has the context end a stream that nobody ranges over, and one
// that somebody does.
func TestAbandonedStream(t *testing.T) {
	s := newShelf(100)
	for i := range 100 {
		s.items[store.Key(fmt.Sprintf("k%03d", i))] = nil
	}
	ended := make(chan any, 200)
	s.scan = func(k any) {
		if k == nil {
			ended <- nil
		}
	}
	c := startStore(t, 4, s)
	for _, range1 := range []bool{false, true} {
		ctx, cancel := context.WithCancel(within(t))
		keys, err := c.Keys(ctx, "")
		if err != nil {
			t.Fatal(err)
		}
		if !range1 {
			cancel()
		}
		var last error
		for k, err := range keys {
			if k == "k040" {
				cancel()
			}
			last = err
		}
		cancel()
		if !errors.Is(last, context.Canceled) {
			t.Errorf("%v", last)
		}
		select {
		case <-ended:
		case <-time.After(patience):
			t.Fatal("the producer goes on")
		}
	}
	if _, err := c.Get(within(t), "k001"); err != nil {
		t.Errorf("after that: %v", err)
	}
}

// TestCancel cancels calls, with and without others that wait.
func TestCancel(t *testing.T) {
	started, ended := make(chan bool, 1000), make(chan error, 1000)
	c := startEcho(t, 2, &parrot{empty: func(ctx context.Context) error {
		started <- true
		<-ctx.Done()
		ended <- ctx.Err()
		return ctx.Err()
	}})
	ctx := within(t)
	for range 3 * stub.MaxCalls / 10 {
		var callers sync.WaitGroup
		inner, cancel := context.WithCancel(ctx)
		for range 10 {
			callers.Go(func() {
				if err := c.Empty(inner); !errors.Is(err, context.Canceled) {
					t.Errorf("%v", err)
				}
			})
		}
		for range 10 {
			<-started
		}
		if w, err := c.Word(ctx, 1); w != 1 || err != nil {
			t.Error(w, err)
		}
		cancel()
		callers.Wait()
		for range 10 {
			select {
			case err := <-ended:
				if !errors.Is(err, context.Canceled) {
					t.Errorf("there: %v", err)
				}
			case <-ctx.Done():
				t.Fatal("the server has not been told")
			}
		}
	}
}

func TestDeadline(t *testing.T) {
	for mode, options := range modes {
		t.Run(mode, func(t *testing.T) {
			there := make(chan error, 1)
			c := startEcho(t, 2, &parrot{empty: func(ctx context.Context) error {
				if _, ok := ctx.Deadline(); !ok {
					there <- errors.New("there is no deadline")
					return nil
				}
				<-ctx.Done()
				there <- ctx.Err()
				return ctx.Err()
			}}, options...)
			ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
			defer cancel()
			if err := c.Empty(ctx); !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("%v", err)
			}
			select {
			case err := <-there:
				// The client's own Cancel may be first.
				if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
					t.Errorf("there: %v", err)
				}
			case <-time.After(patience):
				t.Error("the server's context has not ended")
			}
		})
	}
}

// TestPeerGone ends the connection under calls and streams.
func TestPeerGone(t *testing.T) {
	for _, end := range []string{"client", "server"} {
		t.Run(end, func(t *testing.T) {
			a, b := pair(4)
			started := make(chan bool, 10)
			ctx, cancel := context.WithCancel(context.Background())
			defer cancel()
			served := make(chan error, 1)
			go func() {
				served <- echo.Serve(ctx, b, &parrot{empty: func(ctx context.Context) error {
					started <- true
					<-ctx.Done()
					return nil
				}})
			}()
			c := echo.NewClient(a)
			want := channel.ErrPeer
			failed := make(chan error, 10)
			for range 10 {
				go func() { failed <- c.Empty(context.Background()) }()
			}
			for range 10 {
				<-started
			}
			if end == "client" {
				want = channel.ErrClosed
				c.Close()
			} else {
				b.Close() // as if it died
			}
			for range 10 {
				select {
				case err := <-failed:
					if !errors.Is(err, want) {
						t.Errorf("%v", err)
					}
				case <-time.After(patience):
					t.Fatal("a call goes on")
				}
			}
			if err := <-served; (end == "client") != (err == nil) {
				t.Errorf("served: %v", err)
			}
			if err := c.Empty(context.Background()); !errors.Is(err, want) {
				t.Errorf("afterwards: %v", err)
			}
			c.Close()
		})
	}
}

// TestAllocations holds calls that fit a message to no allocation at either end. Their
// connection allocates nothing either.
func TestAllocations(t *testing.T) {
	ctx := within(t)
	p := &parrot{notes: make(chan uint64, 1)}
	c := startEcho(t, 64, p, stub.Inline)
	for name, call := range map[string]func(){
		"Empty": func() { c.Empty(ctx) },
		"Word":  func() { c.Word(context.Background(), 1) },
		"Note": func() {
			c.Note(context.Background(), 7)
			<-p.notes
		},
	} {
		want := 0.0
		if name == "Empty" {
			want = 1 // with a deadline, the context there
		}
		if n := testing.AllocsPerRun(1000, call); n > want {
			t.Errorf("%s allocates %v times", name, n)
		}
	}
}

// TestNotes sends one-way messages, which come in order, beside calls.
func TestNotes(t *testing.T) {
	each(t, func(t *testing.T, depth int, options []stub.Option) {
		ctx := within(t)
		const notes = 3 * stub.MaxCalls
		p := &parrot{notes: make(chan uint64)}
		c := startEcho(t, depth, p, options...)
		got := make(chan error, 1)
		go func() {
			for n := range uint64(notes) {
				select {
				case w := <-p.notes:
					if w != n {
						got <- fmt.Errorf("note %d rather than %d", w, n)
						return
					}
				case <-ctx.Done():
					got <- ctx.Err()
					return
				}
			}
			got <- nil
		}()
		for n := range uint64(notes) {
			if err := c.Note(ctx, n); err != nil {
				t.Fatal(err)
			}
			if n%10 == 0 {
				if w, err := c.Word(ctx, n); w != n || err != nil {
					t.Fatal(w, err)
				}
			}
		}
		if err := <-got; err != nil {
			t.Error(err)
		}
	})
}

// uneven is an end that sends on one connection and receives on another.
type uneven struct {
	channel.Conn // to send
	in           channel.Conn
}

func (u uneven) Receive(ctx context.Context, m *channel.Message) error { return u.in.Receive(ctx, m) }
func (u uneven) TryReceive(m *channel.Message) (bool, error)           { return u.in.TryReceive(m) }
func (u uneven) Close() error                                          { return errors.Join(u.Conn.Close(), u.in.Close()) }

// TestAnswersForNobody has answers that nobody waits for fill the connection. Then the
// server takes nothing more before somebody reads them, and whoever sends must.
func TestAnswersForNobody(t *testing.T) {
	ctx := within(t)
	gate, started := make(chan bool), make(chan bool, 10)
	p := &parrot{notes: make(chan uint64, 100), empty: func(context.Context) error {
		started <- true
		<-gate
		return nil
	}}
	a, b := pair(64)
	x, y := pair(1)
	serve(t, func(ctx context.Context) error { return echo.Serve(ctx, uneven{y, b}, p, stub.Inline) })
	c := echo.NewClient(uneven{a, x})
	defer c.Close()
	for range 4 {
		short, cancel := context.WithTimeout(ctx, 10*time.Millisecond)
		if err := c.Empty(short); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%v", err)
		}
		cancel()
	}
	<-started
	close(gate)
	const notes = 100
	for n := range uint64(notes) {
		if err := c.Note(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	for n := range uint64(notes) {
		select {
		case w := <-p.notes:
			if w != n {
				t.Errorf("note %d rather than %d", w, n)
			}
		case <-ctx.Done():
			t.Fatalf("note %d has not come", n)
		}
	}
}
