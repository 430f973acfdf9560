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
	c := &cobra.Command{
		Use:   "image -o FILE [PROGRAM...]",
		Short: "Write a bootable image",
		Long: `Image writes what boot starts, an ELF file with a PVH entry: QEMU boots it
with -kernel FILE, Firecracker and Cloud Hypervisor as a kernel. It boots to a
prompt on the first serial port, where the programs named can be run.`,
		Example: "  skerry image -o skerry.elf ./examples/hello",
		RunE: func(c *cobra.Command, names []string) error {
			if out == "" {
				return usagef(c, "-o FILE is missing")
			}
			system, programs, err := a.load(c.Context(), names, debug)
			if err != nil {
				return err
			}
			_, files := place(programs)
			layout, err := image.WriteFile(out, system, &manifest.Manifest{Prompt: true}, files)
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
			a.progress.note("wrote %s, %.1f MB; try: qemu-system-x86_64 -M q35 -m %dM -cpu max,-erms -nographic -kernel %s",
				out, float64(info.Size())/1e6, (layout.End()+defaultPerCore)>>20, out)
			return nil
		},
	}
	c.Flags().StringVarP(&out, "output", "o", "", "`file` to write")
	c.Flags().BoolVar(&json, "json", false, "say what was written as JSON")
	c.Flags().BoolVar(&debug, "debug", false, "keep DWARF debugging tables in kernel and libos")
	return c
}
