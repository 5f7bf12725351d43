"""Names of the units of temperature in some 15 languages, in small letters."""

_DEGREE = tuple("degree deg degre degré grad grado gradi grau graad graden °".split())
KELVIN = ("kelvin", "degree kelvin", "grad kelvin")
FAHRENHEIT = (
    "fahrenheit",
    "℉",
    "°f",
    "° f",
    *(f"{degree} {name}" for degree in _DEGREE for name in ("fahrenheit", "f")),
)
CELSIUS = (
    "celsius",
    "centigrade",
    "℃",
    "°c",
    "° c",
    "c degree",
    *(
        f"{degree} {name}"
        for degree in _DEGREE
        for name in ("celsius", "centigrade", "centigrado", "centigradi", "c")
    ),
    "градус цельсия",
    "градуса цельсия",
    "градусов цельсия",
    "stopni celsjusza",
    "stopnie celsjusza",
    "stupňů celsia",
    "grader celsius",
    "grade celsius",
    "celsiusastetta",
    "santigrat derece",
    "derece celsius",
    "derajat celsius",
    "độ c",
)
