package bind

import (
	"context"
	"fmt"

	"skerry/lib/bind/network"
)

// Info is what is known of an exported interface.
type Info = network.Info

// Find tells what is exported under a name, and fails with ErrNotFound if nothing is.
func Find(ctx context.Context, name string) (Info, error) { return look(ctx, name, false) }

// Lookup tells what is exported under a name. It waits until something is, as long as
// the context lasts.
func Lookup(ctx context.Context, name string) (Info, error) { return look(ctx, name, true) }

func look(ctx context.Context, name string, wait bool) (Info, error) {
	if err := new(settings).check(name); err != nil {
		return Info{}, fmt.Errorf("look up: %w", err)
	}
	_, info, err := find(ctx, name, &settings{noWait: !wait})
	if err != nil {
		return Info{}, fmt.Errorf("look up %q: %w", name, err)
	}
	return info, nil
}

// Watch returns nil when whoever exports a name now does so no more: it has closed
// its Listener, has ended, or its core is lost. If nobody exports it, it returns at
// once. It fails when the context ends.
func Watch(ctx context.Context, name string) error {
	if err := new(settings).check(name); err != nil {
		return fmt.Errorf("watch: %w", err)
	}
	n, _, err := find(ctx, name, &settings{noWait: true})
	if err == nil {
		err = n.Watch(ctx, name)
	}
	if err != nil && !isNotFound(err) {
		return fmt.Errorf("watch %q: %w", name, err)
	}
	return nil
}
