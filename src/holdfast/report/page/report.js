"use strict";
(function () {
  var form = document.getElementById("filter"), list = document.getElementById("list");
  if (!form || !list) { return; }
  var PAGE = 200, open = false;
  var items = Array.prototype.map.call(list.children, function (item) {
    return {
      item: item, order: +item.dataset.order, rank: +item.dataset.rank, kind: item.dataset.kind, side: item.dataset.side,
      layer: +item.dataset.layer || 1e9, fixable: item.dataset.fixable === "1", text: item.textContent.toLowerCase(),
      subject: item.querySelector(".subject").textContent.toLowerCase()
    };
  });
  var sorts = {
    order: function () { return 0; },
    severity: function (a, b) { return b.rank - a.rank; },
    kind: function (a, b) { return a.kind < b.kind ? -1 : a.kind > b.kind ? 1 : 0; },
    subject: function (a, b) { return a.subject < b.subject ? -1 : a.subject > b.subject ? 1 : 0; },
    layer: function (a, b) { return a.layer - b.layer; }
  };
  function value(id) { return document.getElementById(id).value; }
  function apply() {
    var words = value("text").toLowerCase().split(/\s+/).filter(Boolean), kind = value("kind"), side = value("side");
    var rank = value("severity"), fixable = document.getElementById("fixable").checked, found = 0;
    items.forEach(function (one) {
      var shows = (!kind || one.kind === kind) && (!side || one.side === side) && (rank === "" || one.rank >= +rank) &&
        (!fixable || one.fixable) && words.every(function (word) { return one.text.indexOf(word) >= 0; });
      if (shows) { found += 1; }
      one.item.hidden = !shows || (!open && found > PAGE);
    });
    var seen = open ? found : Math.min(found, PAGE);
    document.getElementById("shown").textContent = found === 0 ? "No finding fits." :
      (seen < found ? "Showing " + seen + " of " : "") + found + (found < items.length ? " of " + items.length : "") +
      (items.length === 1 ? " finding" : " findings");
    document.getElementById("more").hidden = seen >= found;
    document.getElementById("all").textContent = "Show all " + found;
  }
  function sort() {
    var by = sorts[value("sort")] || sorts.order;
    items.sort(function (a, b) { return by(a, b) || a.order - b.order; });
    items.forEach(function (one) { list.appendChild(one.item); });
    apply();
  }
  ["text", "kind", "severity", "side", "fixable"].forEach(function (id) {
    document.getElementById(id).addEventListener("input", function () { open = false; apply(); });
  });
  document.getElementById("sort").addEventListener("input", sort);
  document.getElementById("all").addEventListener("click", function () { open = true; apply(); });
  form.addEventListener("submit", function (event) { event.preventDefault(); });
  window.addEventListener("beforeprint", function () { open = true; apply(); });
  form.hidden = false;
  apply();
})();
