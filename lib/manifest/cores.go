package manifest

import (
	"fmt"
	"strconv"
	"strings"

	"skerry/abi"
)

// How the dispatchers of a program on several cores share its address space.
const (
	// Shared has them use the same page tables.
	Shared = "shared"
	// Replicated gives each its own, kept equal by messages.
	Replicated = "replicated"
)

// ParseCores reads a list of cores as people write it: numbers and ranges, as in
// "3", "0-3" and "0,2,4-5". It keeps the order.
func ParseCores(list string) (cores []int, err error) {
	for _, part := range strings.Split(list, ",") {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		from, err := parseCore(first)
		if err != nil {
			return nil, fmt.Errorf("%q is no list of cores, such as 0,2 or 0-3", list)
		}
		to, err := parseCore(last)
		if err != nil {
			return nil, fmt.Errorf("%q is no list of cores, such as 0,2 or 0-3", list)
		}
		if to < from {
			return nil, fmt.Errorf("%q goes from core %d down to %d", part, from, to)
		}
		for core := from; core <= to; core++ {
			cores = append(cores, core)
		}
	}
	return cores, nil
}

func parseCore(s string) (int, error) {
	n, err := strconv.ParseUint(s, 10, 16)
	if err == nil && n >= abi.MaxCores {
		err = strconv.ErrRange
	}
	return int(n), err
}

// CheckCores reports what keeps one program from running on some cores.
func CheckCores(cores []int) error {
	if len(cores) > abi.MaxDispatchers {
		return fmt.Errorf("%d cores for one program, at most %d can be given", len(cores), abi.MaxDispatchers)
	}
	named := make(map[int]bool)
	for _, core := range cores {
		switch {
		case core < 0:
			return fmt.Errorf("there is no core %d", core)
		case named[core]:
			return fmt.Errorf("core %d is named twice", core)
		}
		named[core] = true
	}
	return nil
}

// CheckVSpace reports whether an address space cannot be shared in a way; "" is
// Shared.
func CheckVSpace(how string) error {
	switch how {
	case "", Shared, Replicated:
		return nil
	}
	return fmt.Errorf("an address space is %s or %s, not %q", Shared, Replicated, how)
}
