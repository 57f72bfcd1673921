package yjs

import (
	"strconv"
	"unicode/utf8"
)

// checkText says whether data is valid UTF-8 and one JSON text.
func checkText(data []byte, maxDepth int) error {
	if !utf8.Valid(data) {
		return ErrUTF8
	}
	return checkJSON(data, maxDepth)
}

// parseJSON is JSON.parse for a text that checkJSON has accepted.
func parseJSON(text []byte) any {
	p := jsonParser{jsonScanner{b: text}}
	return p.value()
}

// jsonParser makes values of a JSON text known to be valid.
type jsonParser struct{ jsonScanner }

func (p *jsonParser) value() any {
	p.space()
	switch c := p.peek(); c {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.text()
	case 't', 'n':
		p.i += 4
		if c == 't' {
			return true
		}
		return nil
	case 'f':
		p.i += 5
		return false
	default:
		start := p.i
		p.number()
		v, _ := strconv.ParseFloat(string(p.b[start:p.i]), 64) // out of range is infinite or zero, as in JavaScript
		return v
	}
}

func (p *jsonParser) array() any {
	list := []any{}
	p.i++
	for {
		p.space()
		switch p.peek() {
		case ']':
			p.i++
			return list
		case ',':
			p.i++
		}
		list = append(list, p.value())
	}
}

func (p *jsonParser) object() any {
	members := []Member{}
	p.i++
	for {
		p.space()
		switch p.peek() {
		case '}':
			p.i++
			return newObject(members)
		case ',':
			p.i++
			p.space()
		}
		key := p.text()
		p.space()
		p.i++ // the colon
		members = append(members, Member{key, p.value()})
	}
}

// text reads a quoted string.
func (p *jsonParser) text() string {
	start := p.i + 1
	p.str()
	raw := p.b[start : p.i-1]
	for i, c := range raw {
		if c == '\\' {
			return string(unescape(append(make([]byte, 0, len(raw)), raw[:i]...), raw[i:]))
		}
	}
	return string(raw)
}

// unescape appends the text of a quoted string. Two escapes that are a surrogate pair make one character.
func unescape(out, raw []byte) []byte {
	for i := 0; i < len(raw); {
		c := raw[i]
		if c != '\\' {
			out = append(out, c)
			i++
			continue
		}
		c = raw[i+1]
		i += 2
		switch c {
		case 'b':
			out = append(out, '\b')
		case 'f':
			out = append(out, '\f')
		case 'n':
			out = append(out, '\n')
		case 'r':
			out = append(out, '\r')
		case 't':
			out = append(out, '\t')
		case 'u':
			unit := hexUnit(raw[i:])
			i += 4
			if isHighSurrogate(unit) && i+5 < len(raw) && raw[i] == '\\' && raw[i+1] == 'u' && isLowSurrogate(hexUnit(raw[i+2:])) {
				low := hexUnit(raw[i+2:])
				out = utf8.AppendRune(out, 0x10000+rune(unit-0xd800)<<10+rune(low-0xdc00))
				i += 6
			} else if isHighSurrogate(unit) || isLowSurrogate(unit) {
				out = appendSurrogate(out, unit)
			} else {
				out = utf8.AppendRune(out, rune(unit))
			}
		default:
			out = append(out, c)
		}
	}
	return out
}

func isHighSurrogate(unit uint16) bool { return unit >= 0xd800 && unit <= 0xdbff }
func isLowSurrogate(unit uint16) bool  { return unit >= 0xdc00 && unit <= 0xdfff }

// hexUnit reads four hexadecimal digits.
func hexUnit(b []byte) uint16 {
	n := uint16(0)
	for _, c := range b[:4] {
		switch {
		case c <= '9':
			n = n<<4 | uint16(c-'0')
		default:
			n = n<<4 | uint16(c|0x20-'a'+10)
		}
	}
	return n
}
