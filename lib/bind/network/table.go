package network

import (
	"context"
	"io"
	"sync"

	"skerry/lib/session"
)

// Table is what a network keeps of names that are exported where it runs: who
// exports them, and who waits for them. Its zero value is empty, and its methods may
// be called by many goroutines.
type Table struct {
	mu      sync.Mutex
	entries map[string]*entry
	added   chan struct{} // closed when a name is added; nil if nobody waits
}

type entry struct {
	*Export
	table *Table
	once  sync.Once
	gone  chan struct{} // closed when it is taken back
}

// Export adds a name until what it returns is closed. It fails with
// session.ErrTaken if it is there.
func (t *Table) Export(e *Export) (io.Closer, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.entries[e.Name] != nil {
		return nil, session.ErrTaken
	}
	if t.entries == nil {
		t.entries = map[string]*entry{}
	}
	added := &entry{Export: e, table: t, gone: make(chan struct{})}
	t.entries[e.Name] = added
	if t.added != nil {
		close(t.added)
		t.added = nil
	}
	return added, nil
}

// Close takes a name back.
func (e *entry) Close() error {
	e.once.Do(func() {
		e.table.mu.Lock()
		delete(e.table.entries, e.Name)
		e.table.mu.Unlock()
		close(e.gone)
	})
	return nil
}

// look returns what is exported under a name, or what is closed when another name is.
func (t *Table) look(name string) (*entry, <-chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if e := t.entries[name]; e != nil {
		return e, nil
	}
	if t.added == nil {
		t.added = make(chan struct{})
	}
	return nil, t.added
}

// Find returns what is exported under a name. With wait it waits until something is,
// as long as the context lasts; otherwise it fails with session.ErrNotFound.
func (t *Table) Find(ctx context.Context, name string, wait bool) (*Export, error) {
	for {
		e, added := t.look(name)
		switch {
		case e != nil:
			return e.Export, nil
		case !wait:
			return nil, session.ErrNotFound
		}
		select {
		case <-added:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Watch returns nil when whoever exports a name now has taken it back, at once if
// nobody exports it.
func (t *Table) Watch(ctx context.Context, name string) error {
	e, _ := t.look(name)
	if e == nil {
		return nil
	}
	select {
	case <-e.gone:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
