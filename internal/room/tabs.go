package room

import (
	"context"
	"fmt"
	"slices"

	"github.com/symphony-rt/symphony/internal/protocol"
)

// tabPresence relays the presence of tabs that share the sender's connection,
// and notes who they are: nobody but the server is left to say that they are
// gone when the whole browser is. It writes once for each tab and connection.
func (s *Service) tabPresence(ctx context.Context, v *visit, m *protocol.TabPresence) (protocol.Message, error) {
	states, err := presence(m.Update, protocol.MaxTabs)
	if err != nil {
		return nil, err
	}
	list, err := s.listMembers(ctx, v.Room)
	if err == nil {
		err = v.listed(list)
	}
	if err == nil && !v.Member.Symphony {
		err = fmt.Errorf("%w: presence of tabs before the hello", ErrMalformed)
	}
	if err != nil {
		return nil, err
	}
	tabs := slices.Clone(v.Member.Tabs)
	for _, state := range states {
		if state.State != nil && state.Client != v.Member.Client && !slices.Contains(tabs, state.Client) {
			tabs = append(tabs, state.Client)
		}
	}
	if len(tabs) > len(v.Member.Tabs) {
		v.Member.Tabs = tabs[max(0, len(tabs)-protocol.MaxTabs):]
		if err := s.Members.Update(ctx, v.Room, v.Member); err != nil {
			return nil, err
		}
	}
	s.showPresence(ctx, v, list, protocol.EncodeFrame(&protocol.Awareness{Update: m.Update}))
	return nil, nil
}

// tabsLeft returns the tabs that are gone with m: those that no other member
// serves. One that has moved to another connection is still there.
func tabsLeft(m Member, others []Member) []uint64 {
	var gone []uint64
	for _, tab := range m.Tabs {
		served := slices.ContainsFunc(others, func(o Member) bool { return o.Client == tab || slices.Contains(o.Tabs, tab) })
		if !served {
			gone = append(gone, tab)
		}
	}
	return gone
}
