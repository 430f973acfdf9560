package main

import (
	"fmt"

	"skerry/abi"
	"skerry/abi/capability"
	"skerry/bench/measure"
	"skerry/lib/native"
)

// populations are how many capabilities there are at least while the rows are
// measured whose names end so. The first are those that the core has anyway.
var populations = []struct {
	suffix string
	least  int
}{{"", 1}, {"_of_1e3", 1e3}, {"_of_1e6", 1e6}}

// million is what fills the database up; it grows from row to row.
var million tree

// rows returns all rows in the order in which the database fills.
func rows() []measure.Row {
	var all []measure.Row
	for _, p := range populations {
		add := func(name string, prepare func() (measure.Operation, error)) {
			all = append(all, measure.Row{Name: name + p.suffix, Prepare: func() (measure.Operation, error) {
				if err := populate(p.least); err != nil {
					return measure.Operation{}, fmt.Errorf("make %d capabilities: %w", p.least, err)
				}
				return prepare()
			}})
		}
		add("capability_nop", nop)
		add("capability_map_unmap", mapUnmap)
		add("capability_retype_delete", retypeDelete)
		add("capability_copy_delete", copyDelete)
		add("capability_revoke_1e2", revoke(1e2, 11))
		add("capability_revoke_1e4", revoke(1e4, 4))
	}
	// The million that filled the database go last.
	return append(all, measure.Row{Name: "capability_revoke_1e6", Prepare: func() (measure.Operation, error) {
		const n = 1e6
		if err := million.grow(n); err != nil {
			return measure.Operation{}, err
		}
		return measure.Operation{Run: million.revoke, Units: n, Samples: 1}, nil
	}})
}

// populate makes capabilities until the core has at least so many.
func populate(least int) error {
	info, err := native.CoreInfo()
	if err != nil {
		return err
	}
	return million.grow(million.size + max(0, least-int(info.Capabilities)))
}

// nop invokes nothing of a capability.
func nop() (measure.Operation, error) {
	page, err := takeRAM(abi.PageSize)
	if err != nil {
		return measure.Operation{}, err
	}
	return measure.Operation{
		Run:  func() { must(invoke(page, capability.InvokeNop)) },
		Done: func() { giveBack(page) },
	}, nil
}

// places are how many slots, and pages, an operation is done at in turn: what it
// costs depends on where in the database's tree it falls.
const places = 64

// inTurn makes a row's operation of one that is done at each place.
func inTurn(do func(place capability.Reference) error, done func()) measure.Operation {
	return measure.Operation{
		Run: func() {
			for i := range capability.Reference(places) {
				must(do(i))
			}
		},
		Units: places,
		Done:  done,
	}
}

// mapUnmap maps and unmaps a page in the program's own address space, in which
// the tables above it stay.
func mapUnmap() (measure.Operation, error) {
	w, err := openWindow()
	if err != nil {
		return measure.Operation{}, err
	}
	return inTurn(w.mapUnmap, w.close), nil
}

// retypeDelete makes a frame of a page of RAM, which clears it, and deletes it.
func retypeDelete() (measure.Operation, error) {
	ram, err := takeRAM(places * abi.PageSize)
	if err != nil {
		return measure.Operation{}, err
	}
	frames, err := takeSlots(places)
	if err != nil {
		return measure.Operation{}, err
	}
	return inTurn(func(i capability.Reference) error {
		if err := retype(frames+i, 1, ram, capability.Frame, uint64(i)*abi.PageSize, abi.PageSize); err != nil {
			return err
		}
		return remove(frames + i)
	}, func() { giveBack(ram) }), nil
}

// copyDelete copies a capability and deletes the copy.
func copyDelete() (measure.Operation, error) {
	page, err := takeRAM(abi.PageSize)
	if err != nil {
		return measure.Operation{}, err
	}
	copies, err := takeSlots(places)
	if err != nil {
		return measure.Operation{}, err
	}
	return inTurn(func(i capability.Reference) error {
		to := copies + i
		if err := invoke(cnodeOf(to), capability.L2CNodeCopy, uint64(to.Slot()), uint64(page)); err != nil {
			return err
		}
		return remove(to)
	}, func() { giveBack(page) }), nil
}

// revoke revokes n descendants of a capability, and waits for their end.
func revoke(n, samples int) func() (measure.Operation, error) {
	return func() (measure.Operation, error) {
		t := new(tree)
		if err := t.grow(n); err != nil {
			return measure.Operation{}, err
		}
		return measure.Operation{
			Before:  func() { must(t.grow(n)) },
			Run:     t.revoke,
			Units:   n,
			Samples: samples,
			Done:    t.close,
		}, nil
	}
}
