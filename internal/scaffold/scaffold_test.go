package scaffold

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNames(t *testing.T) {
	for _, ok := range []string{"my-app", "a", "3d", "x.y_z", "/tmp/some/where/app", "app/"} {
		_, err := Name(ok)
		require.NoError(t, err, ok)
	}
	for _, bad := range []string{"", ".", "..", "My-App", "-app", ".hidden", "_x", "a b", "ä", "node_modules", "a$b"} {
		_, err := Name(bad)
		require.ErrorIs(t, err, ErrName, bad)
	}
}

// Every template renders, with pinned versions only and nothing of the example's
// surroundings left.
func TestTemplatesRender(t *testing.T) {
	for _, template := range Templates() {
		files, err := render(template, "my-app", "client-1.tgz")
		require.NoError(t, err, template.Name)
		for _, name := range []string{"index.html", "package.json", "vite.config.ts", "tsconfig.json", "src/env.d.ts", ".gitignore", "README.md"} {
			require.NotEmpty(t, files[name], "%s: %s", template.Name, name)
		}
		for name, data := range files {
			require.NotContains(t, string(data), "../../", "%s: %s", template.Name, name)
			require.NotContains(t, string(data), "{{title}}", "%s: %s", template.Name, name)
		}
		var p struct {
			Name                          string
			Dependencies, DevDependencies map[string]string
		}
		require.NoError(t, json.Unmarshal(files["package.json"], &p))
		require.Equal(t, "my-app", p.Name)
		require.Equal(t, "file:vendor/client-1.tgz", p.Dependencies["@symphony-rt/client"])
		for _, all := range []map[string]string{p.Dependencies, p.DevDependencies} {
			for n, v := range all {
				require.NotRegexp(t, `[\^~*><x ]`, trimFile(v), "%s: %s is not pinned", template.Name, n)
			}
		}
	}
}

func trimFile(v string) string {
	if len(v) > 5 && v[:5] == "file:" {
		return ""
	}
	return v
}

// The versions written here are those the examples are tested with.
func TestVersionsAreTheExamples(t *testing.T) {
	data, err := os.ReadFile("../../examples/whiteboard/package.json")
	require.NoError(t, err)
	var p struct{ Dependencies, DevDependencies map[string]string }
	require.NoError(t, json.Unmarshal(data, &p))
	for n, v := range peers {
		require.Equal(t, p.Dependencies[n], v, n)
	}
	for n, v := range tools {
		require.Equal(t, p.DevDependencies[n], v, n)
	}
}

func TestClaim(t *testing.T) {
	dir := t.TempDir()
	created, err := claim(filepath.Join(dir, "new", "app"))
	require.NoError(t, err)
	require.True(t, created)
	created, err = claim(filepath.Join(dir, "new", "app"))
	require.NoError(t, err)
	require.False(t, created, "an empty folder is as good as none")
	require.NoError(t, os.WriteFile(filepath.Join(dir, "mine"), []byte("x"), 0o600))
	_, err = claim(dir)
	require.ErrorIs(t, err, ErrExists)
	_, err = claim(filepath.Join(dir, "mine"))
	require.Error(t, err)
}
