/* Keys for everything. They rest while somebody types, and leave the browser's own combinations alone. */

const PAN = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** @param actions {key: action}; @param map the map that arrows and +/- move, when it does not hold the focus itself */
export function bindKeys(actions, map) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target;
    const typing = target.closest("input:not([type=range]):not([type=radio]):not([type=checkbox]), select, textarea, dialog");
    if (typing && event.key !== "Escape") return;
    const action = actions[event.key] || actions[event.key.toLowerCase()];
    if (action) {
      action(event);
      if (event.key !== "Escape") event.preventDefault();
    } else if (target === document.body && PAN[event.key]) {
      map.panBy(PAN[event.key].map((step) => step * (event.shiftKey ? 320 : 120)));
      event.preventDefault();
    } else if (target === document.body && "+=-_".includes(event.key)) {
      map.setZoom(map.getZoom() + ("+=".includes(event.key) ? 1 : -1));
      event.preventDefault();
    }
  });
}
