// Runs before the findings that are shown without scripts: they are not laid out where the list of all takes their place.
// If the rest of the script never runs, as in a file that was cut short, they show.
const { classList } = document.documentElement;
classList.add("opening");
addEventListener("DOMContentLoaded", () => { if (!window.isOpening) classList.remove("opening"); });
document.currentScript.remove();
