export const bench = () => ({})
