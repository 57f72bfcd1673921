package scaffold

import "strings"

// peers are what the client wants beside it, and tools what builds a project, at
// the versions the examples are tested with (a test compares).
var (
	peers = map[string]string{"lib0": "0.2.120", "y-protocols": "1.0.7", "yjs": "13.6.33"}
	tools = map[string]string{"typescript": "7.0.2", "vite": "8.3.8"}
)

// defaultServer is where `symphony dev` serves rooms unless it says otherwise.
const defaultServer = "ws://127.0.0.1:8787"

func viteConfig(t Template) string {
	react := t.Name == "notes"
	var b strings.Builder
	if react {
		b.WriteString("import react from '@vitejs/plugin-react'\n")
	}
	b.WriteString(`import { defineConfig } from 'vite'

export default defineConfig({
  base: './', // so that the built page can lie anywhere
`)
	if react {
		b.WriteString("  plugins: [react()],\n")
	}
	b.WriteString(`  build: { target: 'es2022', chunkSizeWarningLimit: 1000 },
  // 'symphony dev' says where the rooms are in VITE_SYMPHONY_URL, 'symphony deploy' in .env.local.
  // With neither, the page asks its own server, which passes it on here.
  server: { proxy: { '/dev': { target: '` + defaultServer + `', ws: true } } }
})
`)
	return b.String()
}

const tsconfig = `{
  "compilerOptions": {
    "target": "ES2022",
    "lib": ["ES2022", "DOM", "DOM.Iterable"],
    "module": "ESNext",
    "moduleResolution": "bundler",
    "types": ["vite/client"],
    "jsx": "react-jsx",
    "strict": true,
    "noUncheckedIndexedAccess": true,
    "verbatimModuleSyntax": true,
    "isolatedModules": true,
    "skipLibCheck": true,
    "noEmit": true
  },
  "include": ["src", "vite.config.ts"]
}
`

const envTypes = `interface ImportMetaEnv {
  /** Where the rooms are: ws://… or wss://…. */
  readonly VITE_SYMPHONY_URL?: string
}

interface ImportMeta {
  readonly env: ImportMetaEnv
}
`

const gitignore = `node_modules/
dist/
.symphony/
.env.local
.env.*.local
`

func readme(t Template, name string) string {
	return "# " + name + `

Made with ` + "`symphony compose --template " + t.Name + "`" + `: ` + t.Short + `.

` + "```sh" + `
npm install
symphony dev        # rooms and page on this machine; open the page in two windows
` + "```" + `

Everybody with the same ` + "`?room=`" + ` in the address is in the same room.

| | |
|---|---|
| ` + "`npm run build`" + ` | the page in ` + "`dist/`" + `, to put on any web server |
| ` + "`symphony deploy`" + ` | the rooms on your AWS account; writes their URL to ` + "`.env.local`" + ` for the next build |
| ` + "`symphony rooms list`" + ` | what rooms there are |
| ` + "`symphony dashboard`" + ` | the same in the browser, live |

` + "`vendor/`" + ` has the client the project was made with.
`
}
