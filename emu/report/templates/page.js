(() => {
  "use strict";
  const axis = {
    labelColor: "currentColor", titleColor: "currentColor", domainColor: "#8a8a8a",
    tickColor: "#8a8a8a", gridColor: "#8a8a8a", gridOpacity: 0.25, titleFontWeight: "normal",
    labelFontSize: 11, titleFontSize: 12,
  };
  const config = {
    background: null, font: "system-ui, sans-serif", axis, axisY: { minExtent: 96, labelLimit: 96 }, view: { stroke: null },
    legend: { labelColor: "currentColor", labelFontSize: 12, labelLimit: 300 },
    title: {
      color: "currentColor", fontSize: 12, fontWeight: "normal", fontStyle: "italic", anchor: "start",
    },
  };
  const options = {
    renderer: "svg", config, actions: { export: true, source: false, compiled: false, editor: false },
  };

  const show = (view, domain) => view.signal("zoom_start", domain).runAsync();

  const wire = (figure, view) => {
    const domain = () => view.scale("y").domain();
    const first = figure.querySelector("button") && domain();
    const zoom = (factor) => {
      const [low, high] = domain();
      show(view, [low, low + (high - low) * factor]);
    };
    const move = (share) => {
      const [low, high] = domain();
      const by = Math.max(-low, (high - low) * share);
      show(view, [low + by, high + by]);
    };
    const act = {
      used: () => show(view, first),
      whole: () => show(view, [0, Number(figure.dataset.whole)]),
      in: () => zoom(1 / 1.6),
      out: () => zoom(1.6),
      up: () => move(1 / 3),
      down: () => move(-1 / 3),
    };
    for (const button of figure.querySelectorAll("button[data-act]")) {
      button.addEventListener("click", act[button.dataset.act]);
    }
  };

  const draw = async (figure) => {
    const place = figure.querySelector(".picture");
    try {
      const spec = JSON.parse(figure.querySelector("script[type='application/json']").textContent);
      const { view } = await vegaEmbed(place, spec, options);
      wire(figure, view);
    } catch (error) {
      place.textContent = "This picture could not be drawn: " + error.message;
      console.error(error);
    }
  };
  document.querySelectorAll("figure.drawn").forEach(draw);
})();
