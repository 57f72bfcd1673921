import { cleanup } from '@testing-library/react'
import { version } from 'react'
import { afterEach, expect } from 'vitest'

// The project says which React this is: both must really have been tested.
expect(version.split('.')[0]).toBe(process.env.REACT)

// React asks for this, so that what a test does not wrap in act() is reported.
;(globalThis as { IS_REACT_ACT_ENVIRONMENT?: boolean }).IS_REACT_ACT_ENVIRONMENT = true
afterEach(cleanup)
