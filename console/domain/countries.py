"""Countries by their codes of ISO 3166-1: FR, fra and FRA are one country, and no other stands in for it.

Codes of places that are no country of the standard (XXX, EU, world) are refused: nothing is known of them,
and the mean of the world is the figure of nobody.
"""

from __future__ import annotations

import re
from difflib import get_close_matches

from console.domain.errors import Invalid

# The two letters of each country before its three, as the Unicode CLDR gives them.
CODES = """
    ADAND AEARE AFAFG AGATG AIAIA ALALB AMARM AOAGO AQATA ARARG ASASM ATAUT AUAUS AWABW AXALA
    AZAZE BABIH BBBRB BDBGD BEBEL BFBFA BGBGR BHBHR BIBDI BJBEN BLBLM BMBMU BNBRN BOBOL BQBES BRBRA
    BSBHS BTBTN BVBVT BWBWA BYBLR BZBLZ CACAN CCCCK CDCOD CFCAF CGCOG CHCHE CICIV CKCOK CLCHL CMCMR
    CNCHN COCOL CRCRI CUCUB CVCPV CWCUW CXCXR CYCYP CZCZE DEDEU DJDJI DKDNK DMDMA DODOM DZDZA ECECU
    EEEST EGEGY EHESH ERERI ESESP ETETH FIFIN FJFJI FKFLK FMFSM FOFRO FRFRA GAGAB GBGBR GDGRD GEGEO
    GFGUF GGGGY GHGHA GIGIB GLGRL GMGMB GNGIN GPGLP GQGNQ GRGRC GSSGS GTGTM GUGUM GWGNB GYGUY HKHKG
    HMHMD HNHND HRHRV HTHTI HUHUN IDIDN IEIRL ILISR IMIMN ININD IOIOT IQIRQ IRIRN ISISL ITITA JEJEY
    JMJAM JOJOR JPJPN KEKEN KGKGZ KHKHM KIKIR KMCOM KNKNA KPPRK KRKOR KWKWT KYCYM KZKAZ LALAO LBLBN
    LCLCA LILIE LKLKA LRLBR LSLSO LTLTU LULUX LVLVA LYLBY MAMAR MCMCO MDMDA MEMNE MFMAF MGMDG MHMHL
    MKMKD MLMLI MMMMR MNMNG MOMAC MPMNP MQMTQ MRMRT MSMSR MTMLT MUMUS MVMDV MWMWI MXMEX MYMYS MZMOZ
    NANAM NCNCL NENER NFNFK NGNGA NINIC NLNLD NONOR NPNPL NRNRU NUNIU NZNZL OMOMN PAPAN PEPER PFPYF
    PGPNG PHPHL PKPAK PLPOL PMSPM PNPCN PRPRI PSPSE PTPRT PWPLW PYPRY QAQAT REREU ROROU RSSRB RURUS
    RWRWA SASAU SBSLB SCSYC SDSDN SESWE SGSGP SHSHN SISVN SJSJM SKSVK SLSLE SMSMR SNSEN SOSOM SRSUR
    SSSSD STSTP SVSLV SXSXM SYSYR SZSWZ TCTCA TDTCD TFATF TGTGO THTHA TJTJK TKTKL TLTLS TMTKM TNTUN
    TOTON TRTUR TTTTO TVTUV TWTWN TZTZA UAUKR UGUGA UMUMI USUSA UYURY UZUZB VAVAT VCVCT VEVEN VGVGB
    VIVIR VNVNM VUVUT WFWLF WSWSM YEYEM YTMYT ZAZAF ZMZMB ZWZWE
"""
THREE_OF_TWO = {code[:2]: code[2:] for code in CODES.split()}
TWO_OF_THREE = {three: two for two, three in THREE_OF_TWO.items()}
PART = re.compile(r"[A-Z0-9]{1,8}(?:-[A-Z0-9]{1,8})?")


def alpha2(text: str, field: str = "country") -> str:
    """The two letters of a country, however its code is written; raises `Invalid` where it is none."""
    code = text.strip().upper()
    if code in THREE_OF_TWO:
        return code
    if code in TWO_OF_THREE:
        return TWO_OF_THREE[code]
    near = get_close_matches(code, (*THREE_OF_TWO, *TWO_OF_THREE), n=3, cutoff=0.6)
    raise Invalid(
        field,
        "« %(value)s » n'est pas un pays de l'ISO 3166-1 ; par exemple %(known)s.",
        value=text.strip()[:40],
        known=", ".join(near or ("FR", "FRA")),
    )


def alpha3(text: str, field: str = "country") -> str:
    """The three letters of a country, as factors name it; raises `Invalid` as `alpha2` does."""
    return THREE_OF_TWO[alpha2(text, field)]


def grid_zone(text: str, field: str = "zone") -> str:
    """A zone of a grid: a country, or a part of one after a hyphen: fra is FR, fr-cor is FR-COR."""
    country, hyphen, part = text.strip().upper().partition("-")
    if hyphen and not PART.fullmatch(part):
        raise Invalid(
            field,
            "« %(value)s » n'est pas une zone de réseau ; par exemple FR ou FR-COR.",
            value=text.strip()[:40],
        )
    return alpha2(country, field) + hyphen + part
