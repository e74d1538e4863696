/*
 * icons - lines of 24 by 24, drawn with the colour of the text around them
 */

const SVG = 'http://www.w3.org/2000/svg';
const PATHS = {
	plus: 'M12 5v14M5 12h14',
	close: 'M6 6l12 12M18 6L6 18',
	check: 'M5 12.5l4.5 4.5L19 7.5',
	twice: 'M2.5 12.5 7 17l8.5-9M12 16l1 1L21.5 8',
	reply: 'M9 7 4 12l5 5M4 12h9a6 6 0 0 1 6 6v1',
	thread: 'M4 5h16v10H10l-4 4v-4H4z',
	smile: 'M12 3.5a8.5 8.5 0 1 1 0 17 8.5 8.5 0 0 1 0-17zM8.5 14c1 1.6 2.2 2.3 3.5 2.3s2.5-.7 3.5-2.3M9 9.6v.4M15 9.6v.4',
	edit: 'M5 19l1-4L16 5l3 3L9 18zM14 7l3 3',
	trash: 'M5 7h14M10 7V4.5h4V7M7 7l1 12.5h8L17 7M10.5 10.5v6M13.5 10.5v6',
	more: 'M6 12h.01M12 12h.01M18 12h.01',
	copy: 'M9 9h10v11H9zM5 15V4h10',
	people: 'M9 11a3.2 3.2 0 1 0 0-6.4A3.2 3.2 0 0 0 9 11zM3.5 19.5c.3-3.4 2.4-5.3 5.5-5.3s5.2 1.9 5.5 5.3M15.5 5.2a3 3 0 0 1 0 5.4M17 14.6c2 .7 3.2 2.4 3.5 4.9',
	silent: 'M6 17h12c-1.2-1.2-1.6-2.6-1.6-5.400C16.4 8 14.7 6 12 6M8 9c-.3.8-.4 1.7-.4 2.600C7.6 14.4 7.2 15.8 6 17M10.3 19.500c.9.8 2.5.8 3.4 0M4 4l16 16',
	at: 'M12 8.200a3.8 3.8 0 1 0 0 7.6 3.8 3.8 0 0 0 0-7.600zM15.8 8.500v4.800c0 1.6.8 2.5 2.1 2.5 1.6 0 2.6-1.6 2.6-3.800a8.5 8.5 0 1 0-3.4 6.8',
	channels: 'M9.5 4 8 20M16 4l-1.5 16M4.5 9h16M3.5 15h16',
	down: 'M6 9l6 6 6-6',
	search: 'M10.5 4.500a6 6 0 1 0 0 12 6 6 0 0 0 0-12zM15 15l5 5',
};

export function icon(name, size = 20) {
	const svg = document.createElementNS(SVG, 'svg');
	const path = document.createElementNS(SVG, 'path');

	for (const [key, value] of Object.entries({ viewBox: '0 0 24 24',
		width: size, height: size, 'aria-hidden': 'true', fill: 'none',
		stroke: 'currentColor', 'stroke-width': name === 'more' ? 3 : 1.9,
		'stroke-linecap': 'round', 'stroke-linejoin': 'round' }))
		svg.setAttribute(key, value);
	path.setAttribute('d', PATHS[name]);
	svg.append(path);
	return svg;
}
