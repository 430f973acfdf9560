package exitcode

import (
	"errors"
	"fmt"
	"strings"
	"testing"
)

func TestError(t *testing.T) {
	cause := errors.New("not there")
	for _, c := range []struct {
		err  *Error
		want string
	}{
		{&Error{What: "x"}, "x"},
		{&Error{What: "x", Err: cause}, "x: not there"},
		{&Error{What: "x", Err: cause, Fix: "look"}, "x: not there (look)"},
		{New(Usage, "x", "", "%w: %d", cause, 1), "x: not there: 1"},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	if err := New(Usage, "x", "", "%w", cause); !errors.Is(err, cause) {
		t.Error("the cause is lost")
	}
}

func TestOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want int
	}{
		{nil, OK}, {errors.New("x"), Internal}, {New(Panic, "x", "", "y"), Panic},
		{fmt.Errorf("around: %w", New(Timeout, "x", "", "y")), Timeout},
	} {
		if got := Of(c.err); got != c.want {
			t.Errorf("Of(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

// TestTable holds that every code has its row, and one alone.
func TestTable(t *testing.T) {
	var b strings.Builder
	Write(&b)
	for _, code := range []int{Usage, BadFile, NotFound, Compile, Machine, Panic, Memory, Image, Fault, Timeout, Internal} {
		if n := strings.Count(b.String(), fmt.Sprintf("\n  %-6d  ", code)); n != 1 {
			t.Errorf("code %d has %d rows", code, n)
		}
	}
}
