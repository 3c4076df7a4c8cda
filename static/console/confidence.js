// The slider moves the number and asks when it is let go; without scripts the number field asks alone.
{
  const slide = document.getElementById("slide"), number = document.getElementById("threshold");
  slide.hidden = false;
  slide.addEventListener("input", () => { number.value = slide.value; });
  slide.addEventListener("change", () => number.form.requestSubmit());
  number.addEventListener("input", () => { slide.value = number.value; });
}
