// Package examples holds the sources of the examples that `symphony compose`
// makes projects of: what is checked in of them, and nothing that was built or
// installed there.
package examples

import "embed"

// Sources has a folder for each example.
//
//go:embed notes/index.html notes/package.json notes/tsconfig.json notes/vite.config.ts notes/public notes/src
//go:embed whiteboard/index.html whiteboard/package.json whiteboard/tsconfig.json whiteboard/vite.config.ts whiteboard/public whiteboard/src
var Sources embed.FS
