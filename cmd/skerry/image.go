package main

import (
	"os"

	"github.com/spf13/cobra"

	"skerry/host/image"
	"skerry/lib/manifest"
)

func (a *app) imageCommand() *cobra.Command {
	var out string
	var json, debug bool
	f := runFlags{workDir: "/"}
	c := &cobra.Command{
		Use:   "image -o FILE [PROGRAM...]",
		Short: "Write a bootable image",
		Long: `Image writes what boot starts, an ELF file with a PVH entry: QEMU boots it
with -kernel FILE, Firecracker and Cloud Hypervisor as a kernel. It starts the
programs of the manifest, if there is one, and when these have ended boots to a
prompt on the first serial port, where the programs named can be run.`,
		Example: `  skerry image -o skerry.elf ./examples/hello
  skerry image -o skerry.elf --manifest programs.json`,
		RunE: func(c *cobra.Command, names []string) error {
			if out == "" {
				return usagef(c, "-o FILE is missing")
			}
			m := &manifest.Manifest{Prompt: true}
			if f.manifest != "" {
				var err error
				if m.Programs, err = f.read(c, nil); err != nil {
					return err
				}
			}
			system, programs, err := a.load(c.Context(), append(pathsOf(m.Programs), names...), debug)
			if err != nil {
				return err
			}
			paths, files := place(programs)
			for i := range m.Programs {
				e := &m.Programs[i]
				if e.Stdin {
					return usagef(c, "--manifest %s has %s read the input, and nobody is there to write it", f.manifest, e.Path)
				}
				if err := f.complete(c, e, programs[i], paths[i], nil); err != nil {
					return err
				}
			}
			layout, err := image.WriteFile(out, system, m, files)
			if err != nil {
				return err
			}
			info, err := os.Stat(out)
			if err != nil {
				return err
			}
			a.progress.clear()
			if json {
				return writeJSON(os.Stdout, struct {
					File  string
					Bytes int64
					image.Layout
				}{out, info.Size(), *layout})
			}
			cores := max(1, f.cores)
			a.progress.note("wrote %s, %.1f MB; try: qemu-system-x86_64 -M q35 -smp %d -m %dM -cpu max,-erms -nographic -kernel %s",
				out, float64(info.Size())/1e6, cores, (layout.End()+uint64(cores)*defaultPerCore)>>20, out)
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "`file` to write")
	c.Flags().StringVar(&f.manifest, "manifest", "", "have the machine start the programs that this `file` names, as it says")
	c.Flags().BoolVar(&json, "json", false, "say what was written as JSON")
	c.Flags().BoolVar(&debug, "debug", false, "keep DWARF debugging tables in kernel and libos")
	return c
}
