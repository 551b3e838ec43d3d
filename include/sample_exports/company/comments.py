"""What customers write: parts of comments and tickets, by language, mood and topic.

Constants, and functions that lay them out as flat lists, which codes point into.
A comment is an opening, a body about the topic and a closing; many combinations, no two
alike by design. All of it was written for this project.
"""

from dataclasses import dataclass

TOPICS = ("general", "purchase", "delivery", "support", "site", "store", "use")
MOODS = ("bad", "mixed", "good")

# language -> mood -> openings
OPENINGS: dict[str, tuple[tuple[str, ...], ...]] = {
    "pt": (
        (
            "Fiquei decepcionado.",
            "Não gostei,",
            "Péssimo! 😡",
            "Sinceramente, esperava mais.",
        ),
        (
            "Foi razoável.",
            "No geral tudo bem, mas",
            "Mais ou menos:",
            "Poderia ser melhor.",
        ),
        ("Adorei!", "Tudo certo,", "Muito bom 👏", "Parabéns à equipe.", "Nota dez!"),
    ),
    "es": (
        (
            "Muy mal 😠",
            "No estoy contenta,",
            "¡Qué decepción!",
            "Sinceramente, regular tirando a mal.",
        ),
        ("Correcto, sin más.", "Ni bien ni mal:", "Aceptable.", "Podría mejorar."),
        ("¡Genial!", "Todo perfecto,", "Estoy encantado 😊", "Muy buen servicio."),
    ),
    "ro": (
        (
            "Sunt dezamăgit.",
            "Nu mi-a plăcut,",
            "Foarte slab 😕",
            "Mă așteptam la mai mult.",
        ),
        ("A fost în regulă.", "Așa și așa:", "Acceptabil, dar", "Se poate mai bine."),
        ("Excelent!", "Totul bine,", "Sunt foarte mulțumită 🙂", "Felicitări echipei."),
    ),
    "en": (
        ("Disappointing.", "Not happy,", "Terrible!", "To be honest, I expected more."),
        ("It was OK.", "Fine overall, but", "So-so:", "Could be better."),
        ("Loved it!", "All good,", "Great job 👍", "Very happy with this."),
    ),
}

# language -> topic -> (what went badly, what went well); {n} becomes 2 to 9
BODIES: dict[str, dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "pt": {
        "general": (
            (
                "cada setor diz uma coisa e ninguém resolve",
                "já são {n} contatos sobre o mesmo assunto",
                'o "atendimento premium" não existe na prática',
            ),
            (
                "compro há {n} anos e continuo indicando",
                "vocês cumprem o que prometem",
                "a relação com a marca é de confiança",
            ),
        ),
        "purchase": (
            (
                "o pagamento falhou {n} vezes antes de passar",
                "o frete só apareceu no fim, caro demais",
                "o cupom não funcionou no checkout",
            ),
            (
                "comprei em {n} minutos, sem complicação",
                "o preço estava claro desde o início",
                "o vendedor explicou tudo, sem pressa",
            ),
        ),
        "delivery": (
            (
                "a entrega atrasou {n} dias e ninguém avisou",
                "a caixa chegou amassada, com o lacre aberto",
                "o entregador deixou na portaria errada",
            ),
            (
                "chegou {n} dias antes do prazo",
                "o entregador foi atencioso e pontual",
                "deu para acompanhar cada passo da entrega",
            ),
        ),
        "support": (
            (
                "esperei {n} horas por uma resposta automática",
                "repeti a história para {n} atendentes",
                "fecharam o chamado sem resolver nada",
            ),
            (
                "resolveram em {n} minutos, na primeira conversa",
                "a atendente entendeu o problema e ligou de volta",
                "explicaram com paciência, passo a passo",
            ),
        ),
        "site": (
            (
                "a página demora e trava no celular",
                "procurei o manual por {n} minutos e não achei",
                "a busca não encontra nem o nome do produto",
            ),
            (
                "encontrei o que queria em {n} cliques",
                "as comparações de produto ajudam muito",
                "o site está mais rápido, dá gosto de usar",
            ),
        ),
        "store": (
            (
                "fila de {n} pessoas e um caixa só",
                "o produto da vitrine não estava à venda",
                "ninguém na loja conhecia o modelo",
            ),
            (
                "loja organizada, equipe simpática",
                "fui atendida em {n} minutos",
                "pude testar o aparelho com calma",
            ),
        ),
        "use": (
            (
                "o aplicativo perde a conexão {n} vezes por dia",
                "o manual é confuso, falta a parte da instalação",
                "depois de {n} semanas começou a fazer barulho",
            ),
            (
                "fácil de instalar, funcionou de primeira",
                "economizo luz e o app mostra quanto",
                "uso todo dia há {n} meses, sem defeito",
            ),
        ),
    },
    "es": {
        "general": (
            (
                "cada departamento dice una cosa distinta",
                "llevo {n} contactos por el mismo tema",
                'lo de "cliente primero" es solo publicidad',
            ),
            (
                "llevo {n} años comprando y lo recomiendo",
                "cumplen lo que prometen",
                "dan confianza, que ya es mucho",
            ),
        ),
        "purchase": (
            (
                "el pago falló {n} veces antes de entrar",
                "los gastos de envío aparecieron al final",
                "el código de descuento no funcionó",
            ),
            (
                "compré en {n} minutos, sin líos",
                "el precio estaba claro desde el principio",
                "el vendedor me lo explicó todo con calma",
            ),
        ),
        "delivery": (
            (
                "llegó {n} días tarde y nadie avisó",
                "la caja venía golpeada y abierta",
                "el repartidor lo dejó en otro portal",
            ),
            (
                "llegó {n} días antes de lo previsto",
                "el repartidor, puntual y muy amable",
                "pude seguir el envío en todo momento",
            ),
        ),
        "support": (
            (
                "esperé {n} horas para una respuesta automática",
                "conté lo mismo a {n} personas distintas",
                "cerraron el caso sin solucionarlo",
            ),
            (
                "lo resolvieron en {n} minutos, a la primera",
                "la agente entendió el problema y me llamó",
                "me lo explicaron paso a paso, con paciencia",
            ),
        ),
        "site": (
            (
                "la página va lenta y se bloquea en el móvil",
                "busqué el manual {n} minutos y nada",
                "el buscador no encuentra ni el nombre exacto",
            ),
            (
                "encontré lo que quería en {n} clics",
                "las comparativas ayudan muchísimo",
                "la web va rápida, da gusto",
            ),
        ),
        "store": (
            (
                "cola de {n} personas y una sola caja",
                "lo del escaparate no estaba a la venta",
                "nadie en la tienda conocía el modelo",
            ),
            (
                "tienda ordenada y gente maja",
                "me atendieron en {n} minutos",
                "pude probar el aparato sin prisas",
            ),
        ),
        "use": (
            (
                "la aplicación se desconecta {n} veces al día",
                "el manual es un lío, falta la instalación",
                "a las {n} semanas empezó a hacer ruido",
            ),
            (
                "fácil de instalar, funcionó a la primera",
                "ahorro luz y la app dice cuánto",
                "lo uso cada día desde hace {n} meses",
            ),
        ),
    },
    "ro": {
        "general": (
            (
                "fiecare departament spune altceva",
                "am sunat de {n} ori pentru aceeași problemă",
                'promisiunea cu „clientul pe primul loc” e doar "reclamă"',
            ),
            (
                "cumpăr de {n} ani și vă recomand mereu",
                "vă țineți de cuvânt",
                "am încredere în voi, ceea ce e rar",
            ),
        ),
        "purchase": (
            (
                "plata a eșuat de {n} ori",
                "costul transportului a apărut abia la final",
                "codul de reducere nu a funcționat",
            ),
            (
                "am cumpărat în {n} minute, simplu",
                "prețul a fost clar de la început",
                "vânzătorul mi-a explicat totul, fără grabă",
            ),
        ),
        "delivery": (
            (
                "a întârziat {n} zile și nu m-a anunțat nimeni",
                "cutia a ajuns lovită și desfăcută",
                "curierul a lăsat-o la altă scară",
            ),
            (
                "a ajuns cu {n} zile mai devreme",
                "curierul a fost punctual și politicos",
                "am putut urmări coletul pas cu pas",
            ),
        ),
        "support": (
            (
                "am așteptat {n} ore un răspuns automat",
                "am povestit același lucru la {n} oameni",
                "au închis cererea fără s-o rezolve",
            ),
            (
                "au rezolvat în {n} minute, din prima",
                "agenta a înțeles problema și m-a sunat înapoi",
                "mi-au explicat cu răbdare, pas cu pas",
            ),
        ),
        "site": (
            (
                "pagina se încarcă greu și se blochează pe telefon",
                "am căutat manualul {n} minute, degeaba",
                "căutarea nu găsește nici numele exact",
            ),
            (
                "am găsit ce voiam din {n} clicuri",
                "comparațiile între produse ajută mult",
                "site-ul merge repede, e o plăcere",
            ),
        ),
        "store": (
            (
                "coadă de {n} oameni și o singură casă",
                "produsul din vitrină nu era de vânzare",
                "nimeni din magazin nu știa modelul",
            ),
            (
                "magazin ordonat, oameni amabili",
                "am fost servită în {n} minute",
                "am putut încerca aparatul pe îndelete",
            ),
        ),
        "use": (
            (
                "aplicația pierde conexiunea de {n} ori pe zi",
                "manualul e neclar, lipsește instalarea",
                "după {n} săptămâni a început să facă zgomot",
            ),
            (
                "ușor de instalat, a mers din prima",
                "economisesc curent și aplicația arată cât",
                "îl folosesc zilnic de {n} luni",
            ),
        ),
    },
    "en": {
        "general": (
            (
                "every department tells me something else",
                "that is {n} contacts about the same thing",
                'the "premium care" is hard to find',
            ),
            (
                "I have been buying for {n} years and recommend you",
                "you do what you promise",
                "I trust the brand, simple as that",
            ),
        ),
        "purchase": (
            (
                "the payment failed {n} times",
                "shipping costs showed up at the very end",
                "the voucher did not work at checkout",
            ),
            (
                "bought in {n} minutes, no fuss",
                "the price was clear from the start",
                "the sales rep took the time to explain",
            ),
        ),
        "delivery": (
            (
                "it came {n} days late and nobody told me",
                "the box was dented, the seal broken",
                "the courier left it at the wrong door",
            ),
            (
                "it came {n} days early",
                "the courier was on time and friendly",
                "I could follow every step",
            ),
        ),
        "support": (
            (
                "waited {n} hours for an automatic reply",
                "had to repeat myself to {n} people",
                "they closed the case without a fix",
            ),
            (
                "solved in {n} minutes, first contact",
                "the agent understood and called me back",
                "patient, step by step, brilliant",
            ),
        ),
        "site": (
            (
                "the page is slow and hangs on my phone",
                "spent {n} minutes looking for the manual",
                "search does not find the exact name",
            ),
            (
                "found it in {n} clicks",
                "the comparisons help a lot",
                "the site feels quick now",
            ),
        ),
        "store": (
            (
                "a queue of {n} people and one till",
                "the model on display was not for sale",
                "nobody in the store knew the model",
            ),
            (
                "tidy store, kind people",
                "served within {n} minutes",
                "I could try it without hurry",
            ),
        ),
        "use": (
            (
                "the app drops the connection {n} times a day",
                "the manual is confusing, no installation part",
                "after {n} weeks it started to rattle",
            ),
            (
                "easy to install, worked first time",
                "it saves power and the app shows how much",
                "used daily for {n} months, no fault",
            ),
        ),
    },
}

# What begins to go wrong while the sample runs, and for more customers every week:
# language -> what they write of it
GROWING_THEME = "account_access"
GROWING_BODIES: dict[str, tuple[str, ...]] = {
    "pt": (
        "desde a atualização não consigo entrar na conta",
        "o código de verificação nunca chega",
        "troquei a minha senha {n} vezes e nada",
    ),
    "es": (
        "desde la actualización no puedo entrar en mi cuenta",
        "el código de verificación no llega nunca",
        "cambié la contraseña {n} veces y nada",
    ),
    "ro": (
        "de la actualizare nu mai pot intra în cont",
        "codul de verificare nu vine niciodată",
        "am schimbat parola de {n} ori, degeaba",
    ),
    "en": (
        "since the update I cannot log in",
        "the verification code never comes",
        "changed my password {n} times, still locked out",
    ),
}

# topic -> the themes of each body about what went badly, as people read them
THEMES: dict[str, tuple[tuple[str, ...], ...]] = {
    "general": (("repeated_contacts",), ("repeated_contacts",), ("broken_promises",)),
    "purchase": (("payment_failure",), ("unexpected_costs",), ("checkout_problem",)),
    "delivery": (("delivery_delay",), ("damaged_item",), ("wrong_delivery",)),
    "support": (("slow_reply",), ("repeated_contacts",), ("unresolved_case",)),
    "site": (("site_problem",), ("information_missing",), ("information_missing",)),
    "store": (("store_queue",), ("store_service",), ("store_service",)),
    "use": (("connection_lost",), ("information_missing",), ("product_defect",)),
}
# Where one language says more than the others: (language, topic, place)
MORE_THEMES = {
    ("pt", "general", 0): ("unresolved_case",),
    ("pt", "purchase", 1): ("price_level",),
}

# language -> closings; blank ones are common, line breaks and personal data occur
CLOSINGS: dict[str, tuple[str, ...]] = {
    "pt": (
        *("", "", "", ".", "!", "…", " 🛒", " 😶‍🌫️", "\nObrigada.", "\n\nAtt,\nAna"),
        " - favor me ligar no +55 11 90000-0000",
        ';\n1) preço\n2) prazo, "como sempre"',
    ),
    "es": (
        *("", "", "", ".", "!", "…", " 📦", "\nGracias.", "\nUn saludo,\nMartín"),
        ", escríbanme a cliente@correo.example",
    ),
    "ro": (
        *("", "", "", ".", "!", "…", " 🤔", "\nMulțumesc.", "\n\nCu stimă"),
        ", sunați-mă la +40 700 000 000",
    ),
    "en": (
        *("", "", "", ".", "!", " 🚚", "\nThanks.", '\nRegards,\n"A customer"'),
        ", mail me at someone@mail.example",
    ),
}

# language -> (subject, description) of tickets
TICKETS: dict[str, tuple[tuple[str, str], ...]] = {
    "pt": (
        (
            "Pedido não chegou",
            "Olá,\n\no prazo passou e o pedido não chegou. Podem verificar?",
        ),
        ("Cobrança em duplicidade", 'Apareceram duas cobranças, uma como "ajuste".'),
        ("Troca de produto", "Recebi o modelo errado; quero trocar, não devolver."),
        ("App não conecta", "Desde ontem o aplicativo não encontra o aparelho 😕"),
        ("Nota fiscal", "Preciso da segunda via da nota fiscal, por favor."),
        ("Cancelar compra", "Comprei por engano.\nComo cancelo?"),
        ("Checkout confuso", "Não entendi onde informar o CNPJ no checkout."),
    ),
    "es": (
        ("Pedido sin entregar", "Hola:\n\nel plazo ha pasado y no tengo el pedido."),
        ("Cargo duplicado", 'Me aparecen dos cargos, uno como "ajuste".'),
        ("Cambio de producto", "He recibido otro modelo; quiero cambiarlo."),
        ("La app no conecta", "Desde ayer la aplicación no encuentra el aparato 😕"),
        ("Factura", "Necesito una copia de la factura, por favor."),
        ("Anular compra", "Compré por error.\n¿Cómo la anulo?"),
    ),
    "ro": (
        (
            "Coletul nu a ajuns",
            "Bună ziua,\n\ntermenul a trecut și coletul nu a ajuns.",
        ),
        ("Plată dublă", 'Apar două plăți, una ca "ajustare".'),
        ("Schimb de produs", "Am primit alt model; vreau să-l schimb."),
        ("Aplicația nu se conectează", "De ieri aplicația nu găsește aparatul 😕"),
        ("Factură", "Am nevoie de o copie a facturii, vă rog."),
        ("Anulare comandă", "Am cumpărat din greșeală.\nCum anulez?"),
    ),
    "en": (
        ("Order has not arrived", "Hi,\n\nthe date has passed and nothing came."),
        ("Charged twice", 'I see two charges, one called "adjustment".'),
        ("Exchange", "I got the wrong model and want to exchange it."),
        ("App does not connect", "Since yesterday the app cannot find the device 😕"),
        ("Invoice", "Please send me a copy of the invoice."),
        ("Cancel my purchase", "Bought by mistake.\nHow do I cancel?"),
    ),
}
REPLIES: dict[str, tuple[str, ...]] = {
    "pt": ("Olá! Já estamos verificando.", "Resolvido por aqui, confirma? Abraço 🙂"),
    "es": ("¡Hola! Lo estamos mirando.", "Solucionado, ¿nos lo confirma?"),
    "ro": ("Bună ziua, verificăm imediat.", "Rezolvat, ne confirmați?"),
    "en": ("Hello, we are looking into it.", "Solved on our side, can you confirm?"),
}


@dataclass(frozen=True)
class Choices:
    """A flat list of texts, and where the texts of each group begin and end.

    texts : (count,)
    first, size : (groups,), texts[first[g] : first[g] + size[g]] belong to group g
    """

    texts: tuple[str, ...]
    first: tuple[int, ...]
    size: tuple[int, ...]


def group_choices(groups: list[tuple[str, ...]]) -> Choices:
    """Lay groups of texts end to end."""
    texts: list[str] = []
    first: list[int] = []
    for group in groups:
        first.append(len(texts))
        texts.extend(group)
    return Choices(tuple(texts), tuple(first), tuple(len(group) for group in groups))


def read_openings() -> Choices:
    """Openings; group = language * 3 + mood."""
    return group_choices([mood for moods in OPENINGS.values() for mood in moods])


def read_bodies() -> Choices:
    """Bodies with their numbers; group = (language * 7 + topic) * 2 + is good; after
    those, a group for each language of the theme that grows.

    A body without a number stands twice, or the numbered ones would crowd it out.
    """
    return group_choices(
        [
            *(
                tuple(text for body in side for text in _number(body))
                for topics in BODIES.values()
                for topic in TOPICS
                for side in topics[topic]
            ),
            *(
                tuple(text for body in bodies for text in _number(body))
                for bodies in GROWING_BODIES.values()
            ),
        ]
    )


def _number(body: str) -> list[str]:
    numbers = range(2, 10) if "{n}" in body else range(2)
    return [body.replace("{n}", str(number)) for number in numbers]


def find_growing_group(language: int) -> int:
    """The group of `read_bodies` with the theme that grows, in a language."""
    return len(BODIES) * len(TOPICS) * 2 + language


def list_themes() -> list[tuple[str, ...]]:
    """The themes of each text of `read_bodies`, in its order."""
    themes: list[tuple[str, ...]] = []
    for language, topics in BODIES.items():
        for topic in TOPICS:
            bad, good = topics[topic]
            for place, body in enumerate(bad):
                more = MORE_THEMES.get((language, topic, place), ())
                themes += [(*THEMES[topic][place], *more)] * len(_number(body))
            themes += [() for body in good for _ in _number(body)]
    for bodies in GROWING_BODIES.values():
        themes += [(GROWING_THEME,) for body in bodies for _ in _number(body)]
    return themes


def read_closings() -> Choices:
    """Closings; group = language."""
    return group_choices(list(CLOSINGS.values()))


# What a ticket is about, by its place in the tickets of its language.
TICKET_TOPICS = (
    *("delivery", "billing", "exchange", "product", "invoice", "cancel", "site"),
)
CHECKOUT_TOPIC = TICKET_TOPICS.index("site")


def find_checkout_text() -> int:
    """The ticket about a checkout that confuses."""
    return read_ticket_texts().first[0] + CHECKOUT_TOPIC


def read_ticket_texts() -> Choices:
    """Subjects and descriptions, parted by a NUL; group = language."""
    return group_choices(
        [tuple("\0".join(pair) for pair in pairs) for pairs in TICKETS.values()]
    )
