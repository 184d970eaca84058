"""The options that name a priority document, the same on every verb."""

import click

from office_node.document_id import DocumentKind

KIND = click.option("--kind", required=True, type=click.Choice([kind.value for kind in DocumentKind]), help="Its kind.")
NUMBER = click.option("--number", required=True, help='Its number, such as "US 98/012,357".')
DATE = click.option("--date", required=True, type=click.DateTime(["%Y-%m-%d"]), help="Filing date, YYYY-MM-DD.")
ACCESS_CODE = click.option("--access-code", required=True, help="Four letters or digits; never shown.")
