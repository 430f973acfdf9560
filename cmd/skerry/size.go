package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// size is a flag for an amount of memory in bytes: a number and K, M, G or T,
// or a number of MiB.
type size uint64

// Set implements pflag.Value.
func (s *size) Set(text string) error {
	digits := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(text), "B"), "I")
	shift := 20
	if n := len(digits); n > 0 {
		if at := strings.IndexByte("KMGT", digits[n-1]); at >= 0 {
			shift, digits = 10*(at+1), digits[:n-1]
		}
	}
	n, err := strconv.ParseUint(digits, 10, 64)
	if err != nil || n > math.MaxUint64>>shift {
		return fmt.Errorf("%q is no amount of memory, such as 512M or 4G", text)
	}
	*s = size(n << shift)
	return nil
}

// String implements pflag.Value.
func (s *size) String() string {
	if *s == 0 {
		return ""
	}
	return fmt.Sprintf("%dM", *s>>20)
}

// Type implements pflag.Value.
func (s *size) Type() string { return "SIZE" }
