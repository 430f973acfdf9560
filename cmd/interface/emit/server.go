package emit

import (
	"strings"

	"skerry/cmd/interface/declare"
)

// server writes the server.
func (w *writer) server() {
	w.line(`// Export offers an implementation under a name and serves whoever binds to it, until
// the context ends.
func Export(ctx context.Context, name string, impl %[1]s, options ...bind.Option) error {
	listener, err := bind.Export(name, Interface, options...)
	if err != nil {
		return err
	}
	return stub.ServeAll(ctx, listener, func(ctx context.Context, conn channel.Conn) error {
		return Serve(ctx, conn, impl)
	})
}

// Serve has an implementation answer whoever is at the other end of a connection, until
// that one leaves, which is no error, or the context ends. Then the connection is
// closed, and all calls have returned.
func Serve(ctx context.Context, conn channel.Conn, impl %[1]s, options ...stub.Option) error {
	return stub.Serve(ctx, conn, &server{impl}, &spec, options...)
}

// server hands calls to an implementation.
type server struct{ impl %[1]s }

// Handle implements stub.Handler.
func (s *server) Handle(ctx context.Context, call *stub.Incoming) {
	switch call.Method() {`, w.Name)
	for _, m := range w.Methods {
		w.line("case %s:\ns.%s(ctx, call)", method(m), m.Handler())
	}
	w.line("}\n}\n")
	for _, m := range w.Methods {
		w.serverMethod(m)
	}
}

// serverMethod writes how the server calls a method.
func (w *writer) serverMethod(m *declare.Method) {
	arguments, results := w.names(m)
	w.line("func (s *server) %s(ctx context.Context, call *stub.Incoming) {", m.Handler())
	for n, v := range m.Arguments {
		if v.Stream {
			continue
		}
		if e, ok := w.expression("call.In", v.Type); ok {
			w.line("%s := %s", arguments[n], e)
			continue
		}
		w.line("var %s %s", arguments[n], w.typ(v.Type))
		w.decode("call.In", arguments[n], v.Type, 0)
	}
	w.line("if !call.Complete() {\nreturn\n}")
	passed := ""
	for n, v := range m.Arguments {
		if v.Stream {
			w.line("%s := stub.Consume(ctx, call, %s)", arguments[n], get(m))
		}
		passed += ", " + arguments[n]
	}
	call := "s.impl." + m.Name + "(ctx" + passed + ")"
	switch {
	case len(results) == 0:
		w.line("call.Returned(%s)\n}\n", call)
		return
	default:
		w.line("%s, err := %s", strings.Join(results, ", "), call)
	}
	w.line("if !call.Returned(err) {\nreturn\n}")
	for n, v := range m.Results {
		if !v.Stream {
			w.encode("call.Out", v.Name, results[n], v.Type, 0)
		}
	}
	for n, v := range m.Results {
		if v.Stream {
			w.line("stub.Produce(ctx, call, %s, %s)", results[n], put(m))
		}
	}
	w.line("}\n")
}
