// Runs Hocuspocus in memory, without extensions: HOST and PORT in the
// environment, one line on standard output when it listens.
import { Server } from '@hocuspocus/server'

const port = Number(process.env.PORT ?? 1234)
const server = new Server({ address: process.env.HOST ?? '127.0.0.1', port, quiet: true })
await server.listen()
console.log(`running at port ${port}`)
