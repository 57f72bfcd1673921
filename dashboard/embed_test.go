package dashboard

import (
	"io/fs"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"
)

func TestPageSaysWhenItIsNotBuilt(t *testing.T) {
	note := &fstest.MapFile{Data: []byte("note")}
	files, built := page(fstest.MapFS{"dist/unbuilt/index.html": note})
	require.False(t, built)
	_, err := fs.Stat(files, "index.html")
	require.NoError(t, err)

	files, built = page(fstest.MapFS{"dist/unbuilt/index.html": note, "dist/app/index.html": {Data: []byte("page")}})
	require.True(t, built)
	b, err := fs.ReadFile(files, "index.html")
	require.NoError(t, err)
	require.Equal(t, "page", string(b))

	files, _ = Page()
	_, err = fs.Stat(files, "index.html")
	require.NoError(t, err)
}
