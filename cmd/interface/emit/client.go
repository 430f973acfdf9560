package emit

import (
	"fmt"
	"strings"

	"skerry/cmd/interface/declare"
)

// client writes the client.
func (w *writer) client() {
	w.line(`// Client is %[2]s %[1]s at the other end of a connection. Its methods may be called by any
// goroutine, many at a time.
type Client struct{ client *stub.Client }

var _ %[1]s = (*Client)(nil)

// Dial connects to the %[1]s that is exported under a name, as bind.Dial does.
func Dial(ctx context.Context, name string, options ...bind.Option) (*Client, error) {
	conn, err := bind.Dial(ctx, name, Interface, options...)
	if err != nil {
		return nil, err
	}
	return NewClient(conn), nil
}

// NewClient returns a client of the %[1]s that is served at the other end of a
// connection, which is the client's from now on.
func NewClient(conn channel.Conn) *Client { return &Client{stub.NewClient(conn, &spec)} }

// Close ends the connection. Calls under way fail with channel.ErrClosed.
func (c *Client) Close() error { return c.client.Close() }

// Binding says how the connection was made.
func (c *Client) Binding() channel.Binding { return c.client.Binding() }
`, w.Name, article(w.Name))
	for _, m := range w.Methods {
		w.clientMethod(m)
	}
}

// article returns the one that a name takes.
func article(name string) string {
	if strings.ContainsRune("AEIO", rune(name[0])) {
		return "an"
	}
	return "a"
}

// signature returns a method's arguments and results, the latter with names.
func (w *writer) signature(m *declare.Method, arguments, results []string) string {
	var in, out []string
	for n, v := range m.Arguments {
		in = append(in, ", "+arguments[n]+" "+w.value(v))
	}
	for n, v := range m.Results {
		out = append(out, results[n]+" "+w.value(v)+", ")
	}
	returns := "error"
	if out != nil {
		returns = "(" + strings.Join(out, "") + "err error)"
	}
	return fmt.Sprintf("(ctx context.Context%s) %s", strings.Join(in, ""), returns)
}

// clientMethod writes a method of the client.
func (w *writer) clientMethod(m *declare.Method) {
	for _, v := range append(m.Arguments[:len(m.Arguments):len(m.Arguments)], m.Results...) {
		w.value(v) // so that names know all imports
	}
	arguments, results := w.names(m)
	returns := ""
	for _, r := range results {
		returns += r + ", "
	}
	w.doc(m)
	w.line("func (c *Client) %s%s {", m.Name, w.signature(m, arguments, results))
	w.line("call, err := c.client.Begin(ctx, %s)", method(m))
	w.line("if err != nil {\nreturn %serr\n}", returns)
	do := "call.Do(ctx)"
	if m.Stream != nil && !m.ToServer {
		do = "call.Open(ctx)"
	}
	for n, v := range m.Arguments {
		if v.Stream {
			do = fmt.Sprintf("stub.Feed(ctx, call, %s, %s)", arguments[n], put(m))
			continue
		}
		w.encode("call.Out", v.Name, arguments[n], v.Type, 0)
	}
	switch {
	case m.OneWay:
		w.line("call.Tell(ctx)")
	case len(results) == 0:
		w.line("%s", do)
	default:
		w.line("if %s {", do)
		for n, v := range m.Results {
			if !v.Stream {
				w.decode("call.In", results[n], v.Type, 0)
			}
		}
		for n, v := range m.Results {
			if v.Stream {
				w.line("%s = stub.Consume(ctx, call, %s)", results[n], get(m))
			}
		}
		w.line("}")
	}
	w.line("return %scall.End()\n}\n", returns)
}
