package capability_test

import (
	"testing"

	. "skerry/abi/capability"
	"skerry/abi/capability/table"
)

// TestRules holds the generated rules against the table.
func TestRules(t *testing.T) {
	if int(NumTypes) != len(table.Types)+1 {
		t.Fatalf("%d types generated of %d", NumTypes-1, len(table.Types))
	}
	byName := map[string]Type{}
	for i, d := range table.Types {
		byName[d.Name] = Type(i + 1)
	}
	for i, d := range table.Types {
		c := Type(i + 1)
		if c.String() != d.Name {
			t.Errorf("type %d is %v, want %s", i+1, c, d.Name)
		}
		for j, p := range table.Types {
			want := false
			for _, name := range d.Parents {
				want = want || name == p.Name
			}
			if got := c.MadeOf(Type(j + 1)); got != want {
				t.Errorf("%s made of %s: %v", d.Name, p.Name, got)
			}
		}
		for bit, r := range table.Rights {
			if _, want := d.Rights[r.Name]; Of(c).Rights>>bit&1 != 0 != want {
				t.Errorf("%s: right %s is not %v", d.Name, r.Name, want)
			}
		}
		least := max(d.Size, d.Least)
		if !c.Fits(0, least) || !c.Fits(d.Align, least) || c.Fits(0, least-1) || c.Fits(0, max(d.Size, d.Most)+1) || d.Align > 1 && c.Fits(1, least) {
			t.Errorf("%s: Fits is wrong about its sizes", d.Name)
		}
	}
	if Type(200).MadeOf(RAM) || Type(200).Fits(0, 4096) || Null.Fits(0, 0) || Null.MadeOf(Null) {
		t.Error("a rule for no type")
	}
	if o, n := L2CNode.SlotRange(16 << 10); o != 0 || n != L2Slots {
		t.Error("slots of an L2 CNode")
	}
	if o, n := Dispatcher.SlotRange(32 << 10); o+n*SlotSize != 4096 {
		t.Error("slots of a dispatcher")
	}
}

// TestInvocations holds every invocation of every type against the table:
// its name, its right, and the bounds of its arguments.
func TestInvocations(t *testing.T) {
	for i, d := range table.Types {
		c := Type(i + 1)
		all := append(append([]table.Invocation{}, table.Common...), d.Invocations...)
		for n, v := range all {
			i := Invocation(n)
			if got := InvocationName(c, i); got != v.Name {
				t.Errorf("%s.%d is %q, want %q", d.Name, n, got, v.Name)
			}
			var zero Arguments
			if err := Check(c, AllRights, i, &zero); err != OK {
				t.Errorf("%s.%s: %v", d.Name, v.Name, err)
			}
			want := OK
			if v.Right != "" {
				want = ErrRights
			}
			if err := Check(c, 0, i, &zero); err != want {
				t.Errorf("%s.%s without rights: %v", d.Name, v.Name, err)
			}
			for a := range MaxArguments {
				most := uint64(0)
				if a < len(v.Arguments) {
					for _, k := range table.Kinds {
						if k.Kind == v.Arguments[a].Kind {
							most = k.Most
						}
					}
					if v.Arguments[a].Kind == "Type" {
						most = uint64(NumTypes) - 1
					}
				}
				var args Arguments
				args[a] = most
				if err := Check(c, AllRights, i, &args); err != OK {
					t.Errorf("%s.%s: argument %d as %#x: %v", d.Name, v.Name, a, most, err)
				}
				if args[a]++; most != 1<<64-1 && Check(c, AllRights, i, &args) != ErrArgument {
					t.Errorf("%s.%s: argument %d as %#x was accepted", d.Name, v.Name, a, most+1)
				}
			}
		}
		if Check(c, AllRights, Invocation(len(all)), &Arguments{}) != ErrInvocation || InvocationName(c, 1<<32-1) != "" {
			t.Errorf("%s has more invocations than the table", d.Name)
		}
	}
	if Check(Null, AllRights, 0, &Arguments{}) != ErrInvocation || Check(NumTypes, AllRights, 0, &Arguments{}) != ErrInvocation {
		t.Error("an invocation of no type")
	}
}

// FuzzUnpack takes words of calls apart.
func FuzzUnpack(f *testing.F) {
	f.Add(uint64(0), uint8(1), uint8(255))
	f.Add(Word(MakeReference(1, 1), InvokeIdentify), uint8(RAM), uint8(0))
	f.Add(^uint64(0), uint8(255), uint8(255))
	f.Fuzz(func(t *testing.T, w uint64, kind, rights uint8) {
		r, i, err := Unpack(w)
		if err != OK {
			return
		}
		if Word(r, i) != w {
			t.Errorf("%#x unpacks to %#x, %d", w, r, i)
		}
		switch {
		case r&LevelOne != 0 && LevelOneReference(r.L1()) != r,
			r&LevelOne == 0 && MakeReference(r.L1(), r.Slot()) != r,
			r.L1() == 0 || r.L1() >= MaxL1Slots:
			t.Errorf("reference %#x is valid", r)
		}
		if Check(Type(kind), Rights(rights), i, &Arguments{}) == OK && InvocationName(Type(kind), i) == "" {
			t.Errorf("invocation %d of type %d has no name", i, kind)
		}
	})
}

// TestErrors holds that every error has a name and a text of its own.
func TestErrors(t *testing.T) {
	names, texts := map[string]bool{}, map[string]bool{}
	for i := range Errors {
		e := Error(i)
		if e.Name() == "" || e.Error() == "" || names[e.Name()] || texts[e.Error()] {
			t.Errorf("error %d: %q, %q", i, e.Name(), e.Error())
		}
		names[e.Name()], texts[e.Error()] = true, true
	}
	if Error(Errors).Error() != "unknown error" || Error(Errors).Name() != "unknown" {
		t.Error("an error that is none")
	}
}
