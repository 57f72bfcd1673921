package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// Pages returns the documentation of every command, by file name: what the help
// says, as Markdown. docs/cli is written by it.
func Pages() map[string]string {
	a := &App{Env: func(string) string { return "" }}
	root := a.root()
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	pages := map[string]string{}
	var index strings.Builder
	index.WriteString("# The command line\n\n`make symphony` builds `build/symphony`. " + generated + "\n\n| command | does |\n|---|---|\n")
	walk(root, func(c *cobra.Command) {
		if c == root {
			return
		}
		name := fileOf(c)
		pages[name] = page(c)
		fmt.Fprintf(&index, "| [%s](%s) | %s |\n", c.CommandPath(), name, c.Short)
	})
	index.WriteString("\n## Environment\n\n| variable | says |\n|---|---|\n")
	for _, v := range [][2]string{
		{envStage, "what `--stage` is without the flag"}, {envData, "what `--data` is without the flag"},
		{envSecret, "the HS256 secret tokens are signed with"}, {envToken, "the access token of `rooms watch`"},
		{envSource, "the checkout of Symphony that `deploy` builds"}, {envLocalStack, "where LocalStack answers"},
		{"NO_COLOR", "no colours"}, {"AWS_…", "those of the AWS SDK: profile, region, credentials, endpoints"},
	} {
		fmt.Fprintf(&index, "| `%s` | %s |\n", v[0], v[1])
	}
	pages["README.md"] = index.String()
	return pages
}

const generated = "These pages are written by `go test ./internal/cli -run Pages -update`."

func walk(c *cobra.Command, fn func(*cobra.Command)) {
	if c.Hidden || c.Name() == "help" {
		return
	}
	fn(c)
	for _, sub := range c.Commands() {
		walk(sub, fn)
	}
}

func fileOf(c *cobra.Command) string {
	return strings.ReplaceAll(strings.TrimPrefix(c.CommandPath(), "symphony "), " ", "-") + ".md"
}

func page(c *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s.\n", c.CommandPath(), c.Short)
	if c.Runnable() {
		fmt.Fprintf(&b, "\n```\n%s\n```\n", c.UseLine())
	}
	if c.Long != "" {
		fmt.Fprintf(&b, "\n```text\n%s\n```\n", strings.TrimSpace(c.Long))
	}
	if c.Example != "" {
		fmt.Fprintf(&b, "\n## Examples\n\n```sh\n%s\n```\n", unindented(c.Example))
	}
	flagTable(&b, "Flags", c.NonInheritedFlags())
	flagTable(&b, "Flags of all its commands", c.InheritedFlags())
	var subs []*cobra.Command
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			subs = append(subs, sub)
		}
	}
	if len(subs) > 0 {
		b.WriteString("\n## Commands\n\n")
		for _, sub := range subs {
			fmt.Fprintf(&b, "- [%s](%s): %s\n", sub.CommandPath(), fileOf(sub), sub.Short)
		}
	}
	return b.String()
}

func unindented(s string) string {
	lines := strings.Split(strings.Trim(s, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimRight(strings.TrimPrefix(lines[i], "  "), " ")
	}
	return strings.Join(lines, "\n")
}

func flagTable(b *strings.Builder, title string, flags *pflag.FlagSet) {
	first := true
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || f.Name == "help" {
			return
		}
		if first {
			fmt.Fprintf(b, "\n## %s\n\n| flag | default | does |\n|---|---|---|\n", title)
			first = false
		}
		kind, usage := pflag.UnquoteUsage(f)
		name := "--" + f.Name
		if kind != "" {
			name += " <" + kind + ">"
		}
		if f.Shorthand != "" {
			name = "-" + f.Shorthand + ", " + name
		}
		fallback := f.DefValue
		if fallback == "" || fallback == "false" || fallback == "[]" {
			fallback = "-"
		}
		fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, fallback, strings.ReplaceAll(usage, "|", "\\|"))
	})
}
