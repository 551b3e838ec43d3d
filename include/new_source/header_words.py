"""What headers say, in English, Portuguese, Spanish and Romanian: lists of words.

In: the words of a header (`column_names.split_words`). Out: whether one of a list is
among them. Accents are gone by then, and "e-mail" is two words.
"""

from collections.abc import Iterable

from include.contracts import PersonalData, Role


def _list(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(","))


# Numbers of records.
ID_WORDS = _list("""id, ids, uuid, guid, number, numero, nr, num, no, key, code, codigo,
    cod, reference, referencia, ref, protocolo, protocol, matricula, chave""")

# Whose number or name it is: customers, and the company's own people.
PEOPLE = _list("""customer, client, cliente, contact, contato, contacto, user, usuario,
    utilizator, person, pessoa, persona, respondent, member, requester, consumer,
    consumidor, titular, patient, employee""")
STAFF = _list("""agent, agente, assignee, owner, atendente, responsavel, analista,
    operador, operator, officer, ofiter, manager, gerente, gestor, supervisor, adviser,
    advisor, consultor, consultant, technician, tecnico, representante, by, caller,
    assigned to, vendedor, vanzator""")
# Names of things, though the header says "name" or the values look like names.
THINGS = _list("""product, produto, producto, produs, company, empresa, compania, store,
    loja, tienda, magazin, file, stage, group, grupo, channel, canal, campaign, survey,
    agency, agencia, agentie, branch, city, cidade, ciudad, oras, country, pais, tara,
    type, tipo, tip, status, event, category, categoria, categorie, subcategory, reason,
    motivo, motiv, segment, segmento, state, estado, situacao, stare, plan, plano,
    method, metodo, service, servico, servicio, serviciu, region, regiao, regiune,
    location, local, area, team, equipe, department, departamento, industry, phase,
    priority, prioridade, level, topic, tema, label, contract, vendor, symptom,
    confirmation""")

PERSONAL: tuple[tuple[PersonalData, tuple[str, ...]], ...] = (
    (
        "contact",
        _list("""email, e mail, mail, phone, telephone, telefone, telefono, telefon,
    mobile, celular, movil, fone, whatsapp, fax, ip, ip address, address, endereco,
    direccion, adresa, street, rua, calle, strada, zip, cep, postal, postcode, latitude,
    longitude, lat long, twitter, instagram, facebook"""),
    ),
    (
        "identifier",
        _list("""first name, last name, full name, given name, family name, surname,
    username, user name, nickname, nome, nombre, nume, prenume, sobrenome, apellido,
    apellidos, customer name, client name, contact name, cpf, cnpj, rg, nif, dni, nie,
    cnp, ssn, passport, passaporte, pasaporte, iban, card number, conta, account number,
    birth, birthday, birthdate, nascimento, nacimiento, nasterii, nastere, document,
    documento, placa"""),
    ),
    (
        "free_text",
        _list("""comment, comments, comentario, comentarios, comentariu, message,
    mensagem, mensaje, mesaj, text, texto, description, descricao, descripcion,
    descriere, subject, assunto, asunto, subiect, review, note, notes, observacao,
    observacoes,
    observaciones, feedback, relato, reclamacao, opinion, opinie, content"""),
    ),
)
BIRTH = _list("birth, birthday, birthdate, nascimento, nacimiento, nasterii, nastere")

# When a row changed last, and when it happened: the first is what versions go by.
CHANGED = _list("""updated, modified, changed, last, alterado, atualizado, actualizado,
    modificado, modificat""")
HAPPENED = _list("""created, opened, recorded, submitted, date, data, fecha, time,
    abertura, criado, creado, deschis""")

ROLES: tuple[tuple[Role, tuple[str, ...]], ...] = (
    (
        "ticket",
        _list("""ticket, incident, complaint, reclamacao, reclamacion, reclamatie,
    protocolo, chamado, case, priority, assignee, atendimento, resolved"""),
    ),
    (
        "survey",
        _list("""respondent, response, survey, nps, csat, ces, rating, review, stars,
    score, answer, recommend, nota, finished"""),
    ),
    ("crm", _list("customer, client, account, lead, deal, order, payment")),
)


def has_any(words: Iterable[str], wanted: Iterable[str]) -> bool:
    """Tell whether one of the wanted words, or pairs of them, is among the words."""
    text = f" {' '.join(words)} "
    return any(f" {word} " in text for word in wanted)
