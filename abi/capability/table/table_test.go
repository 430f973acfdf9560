package table

import (
	"slices"
	"testing"
)

// TestTypes holds the table to what the capability system rests on.
func TestTypes(t *testing.T) {
	seen := map[string]*Type{}
	for i := range Types {
		c := &Types[i]
		if seen[c.Name] != nil {
			t.Errorf("%s stands twice", c.Name)
		}
		seen[c.Name] = c
		if !slices.ContainsFunc(Spaces, func(s Space) bool { return s.Name == c.Space }) {
			t.Errorf("%s: no space %s", c.Name, c.Space)
		}
		for _, p := range c.Parents {
			parent := seen[p]
			switch {
			case parent == nil:
				t.Errorf("%s: made of %s, which does not precede it", c.Name, p)
				continue
			case parent.Space != c.Space:
				t.Errorf("%s: made of %s, in another space", c.Name, p)
			}
			if _, ok := parent.Rights["Retype"]; !ok {
				t.Errorf("%s is made of %s, which has no right Retype", c.Name, p)
			}
			// What depends on its parent is deleted last in order first: all
			// that is made of such a parent must depend on it too.
			if c.Dependent && (parent.Name == "RAM" || parent.Name == "Frame") {
				t.Errorf("%s depends on %s, of which other things are made", c.Name, p)
			}
		}
		if len(c.Parents) == 0 && c.Made == "" {
			t.Errorf("%s: how is it made?", c.Name)
		}
		least, most := c.Least, c.Most
		if c.Size != 0 {
			if least != 0 || most != 0 {
				t.Errorf("%s: one size, and bounds", c.Name)
			}
			least, most = c.Size, c.Size
		}
		if c.Align == 0 || c.Align&(c.Align-1) != 0 || least == 0 || least > most || least%c.Align != 0 || most%c.Align != 0 || most > maxRange {
			t.Errorf("%s: sizes %d to %d aligned to %d", c.Name, least, most, c.Align)
		}
		if c.Slots != 0 && c.Offers < c.SlotsAt+c.Slots*slot {
			t.Errorf("%s: objects can be made of its slots", c.Name)
		}
		if c.Holds && (!c.Zeroed || c.SlotsAt%slot != 0 || c.SlotsAt+c.Slots*slot > least) {
			t.Errorf("%s: its slots are not cleared, or not in it", c.Name)
		}
		if len(c.Fields) == 0 || c.Doc == "" {
			t.Errorf("%s: not described", c.Name)
		}
		for name := range c.Rights {
			if !slices.ContainsFunc(Rights, func(r Right) bool { return r.Name == name }) {
				t.Errorf("%s: no right %s", c.Name, name)
			}
		}
		for _, list := range [][]Invocation{Common, c.Invocations} {
			for _, v := range list {
				checkInvocation(t, c, v)
			}
		}
	}
	if len(Types) > 31 || len(Rights) > 8 || len(Spaces) > 255 {
		t.Error("too many for the bits they have")
	}
}

func checkInvocation(t *testing.T, c *Type, v Invocation) {
	if v.Doc == "" || len(v.Arguments) > MaxArguments {
		t.Errorf("%s.%s: not described, or too many arguments", c.Name, v.Name)
	}
	if _, ok := c.Rights[v.Right]; v.Right != "" && !ok {
		t.Errorf("%s.%s needs right %s, which does not exist for the type", c.Name, v.Name, v.Right)
	}
	for i, a := range v.Arguments {
		if (a.Kind == "Input" || a.Kind == "Output") && (i+1 == len(v.Arguments) || v.Arguments[i+1].Kind != "Number") {
			t.Errorf("%s.%s: how many bytes does argument %s have?", c.Name, v.Name, a.Name)
		}
		found := false
		for _, k := range Kinds {
			found = found || k.Kind == a.Kind
		}
		if !found {
			t.Errorf("%s.%s: no kind %s", c.Name, v.Name, a.Kind)
		}
	}
	n := 0
	for _, list := range [][]Invocation{Common, c.Invocations} {
		for _, w := range list {
			if w.Name == v.Name {
				n++
			}
		}
	}
	if n != 1 {
		t.Errorf("%s.%s stands %d times", c.Name, v.Name, n)
	}
}

// TestIssued holds that the types the system is meant to have are there.
func TestIssued(t *testing.T) {
	for _, name := range []string{
		"PhysicalRange", "RAM", "Frame", "DeviceFrame", "L1CNode", "L2CNode",
		"PageTable1", "PageTable2", "PageTable3", "PageTable4", "PageTable5",
		"Mapping", "Dispatcher", "Endpoint", "Doorbell", "IRQSource", "IRQDestination",
		"IOPorts", "KCB", "Kernel", "Domain", "PerformanceCounter",
	} {
		if !slices.ContainsFunc(Types, func(c Type) bool { return c.Name == name }) {
			t.Errorf("no type %s", name)
		}
	}
}
