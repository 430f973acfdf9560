package declare

import (
	"go/ast"
	"go/token"
	"regexp"
	"strconv"
	"strings"
)

// Directives are comments of the form //skerry:NAME ARGUMENTS.
const mark = "//skerry:"

// MaxBound is the largest bound that can be declared.
const MaxBound = 1 << 20

type directive struct {
	pos  token.Pos
	name string
	args []string
}

// directives returns those in some comments: they belong to what the comments are of.
func (r *reader) directives(groups ...*ast.CommentGroup) (found []directive) {
	for _, g := range groups {
		if g == nil {
			continue
		}
		for _, c := range g.List {
			if rest, ok := strings.CutPrefix(c.Text, mark); ok {
				name, args, _ := strings.Cut(rest, " ")
				// What follows another // is a comment on the directive.
				args, _, _ = strings.Cut(args, "//")
				found = append(found, directive{c.Pos(), name, strings.Fields(args)})
				r.read[c.Pos()] = true
			}
		}
	}
	return found
}

// spaced is how a directive begins that Go takes for prose.
var spaced = regexp.MustCompile(`^//\s+skerry:(interface|max|oneway)\b`)

// strays reports directives that belong to nothing, and what looks like one.
func (r *reader) strays() {
	for _, f := range r.Files {
		for _, g := range f.Comments {
			for _, c := range g.List {
				switch {
				case spaced.MatchString(c.Text):
					r.errorf(c.Pos(), "a directive has no blank before its name; write %s", spaced.ReplaceAllString(c.Text, mark+"$1"))
				case strings.HasPrefix(c.Text, mark) && !r.read[c.Pos()]:
					name, _, _ := strings.Cut(c.Text, " ")
					r.errorf(c.Pos(), "%s belongs to nothing here; write it behind a field or a type, or above the interface, a method of it or a type, with no empty line between", name)
				}
			}
		}
	}
}

// only returns the directive with a name and reports all others.
func (r *reader) only(name, where string, list []directive) *directive {
	var found *directive
	for i, d := range list {
		switch {
		case d.name != name:
			r.errorf(d.pos, "//skerry:%s does not belong to %s; it takes //skerry:%s alone", d.name, where, name)
		case found != nil:
			r.errorf(d.pos, "%s has //skerry:%s twice; leave one", where, name)
		default:
			found = &list[i]
		}
	}
	return found
}

// bound reads a bound. If it is none there is an error, and the bound is 1.
func (r *reader) bound(pos token.Pos, text string) int {
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 || n > MaxBound {
		r.errorf(pos, "bound %q is no number from 1 to %d; what is longer goes in a stream", text, MaxBound)
		return 1
	}
	return n
}

// own reads the bound of a type or a field: //skerry:max N; 0 if there is none.
func (r *reader) own(where string, groups ...*ast.CommentGroup) int {
	d := r.only("max", where, r.directives(groups...))
	if d == nil {
		return 0
	}
	if len(d.args) != 1 {
		r.errorf(d.pos, "//skerry:max of %s takes one number: //skerry:max 64", where)
		return 1
	}
	return r.bound(d.pos, d.args[0])
}
