// Before anything is drawn: the chosen theme, if one was chosen.
try {
  const theme = localStorage.getItem('symphony-theme')
  if (theme === 'light' || theme === 'dark') document.documentElement.dataset.theme = theme
} catch {
  // Storage is not allowed: the system's theme it is.
}
